/**
 * One event, one line. Pure: the time, the pid and the fields are arguments, nothing is written here.
 *
 * Text, for people:   2026-01-02T03:04:05.678Z info    arbiter[4711] worker ready slot=0 pid=4712
 * JSON, for machines: {"time":"…","level":"info","role":"arbiter","pid":4711,"message":"worker ready","fields":{"slot":0,"pid":4712}}
 *
 * The fields stand in an object of their own, because a field may well be called `pid`: that of the process which the
 * event is about, not of the one that writes.
 */

/** gunicorn's levels, least important first. */
export const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const
export type Level = (typeof LEVELS)[number]

export const FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof FORMATS)[number]

/** `undefined` leaves a field out; a list is joined by commas in text. */
export type FieldValue = string | number | boolean | null | undefined | readonly (string | number)[]
export type Fields = Readonly<Record<string, FieldValue>>

export type LogEvent = {
  /** Wall-clock time in milliseconds since the epoch. */
  readonly time: number
  readonly level: Level
  /** Who writes: arbiter, worker, manager, companion, mold. */
  readonly role: string
  /** Of the process that writes. */
  readonly pid: number
  readonly message: string
  readonly fields?: Fields | undefined
  /** Several lines that belong to the event, such as the stack of an app's own error. */
  readonly details?: string | undefined
}

/** The event as text, the newline at its end included. Only `details` takes more lines, each of them indented. */
export function formatEvent(event: LogEvent, format: LogFormat): string {
  return format === 'json' ? json(event) : text(event)
}

/** The event without what syslog says itself (time, level, pid): a line for the event, and one for each of its details. */
export function eventLines(event: LogEvent, format: LogFormat): string[] {
  if (format === 'json') return [json(event).trimEnd()]
  const details = event.details === undefined ? [] : indented(event.details).split('\n').slice(0, -1)
  return [escapeControls(event.message) + textFields(event.fields), ...details]
}

/** Whether an event of this level is written by a log of that one. */
export const isWritten = (level: Level, threshold: Level): boolean => LEVELS.indexOf(level) >= LEVELS.indexOf(threshold)

/**
 * Makes control characters visible, so that a value can neither start a line of its own nor speak to a terminal:
 * C0, DEL and C1 controls, the line separators of Unicode and its direction overrides (which reorder what is read).
 */
export const escapeControls = (value: string): string => value.replace(CONTROLS, escaped)

/** For text between double quotes: quotes and backslashes too. */
export const escapeQuoted = (value: string): string =>
  SPECIAL.test(value) ? escapeControls(value.replace(/["\\]/g, '\\$&')) : value

/** One line of JSON: what JSON lets through as it is (C1, separators, overrides) is escaped too, to the same effect. */
export const jsonLine = (value: object): string =>
  `${JSON.stringify(value).replace(CONTROLS, (character) => `\\u${hex(character.charCodeAt(0), 4)}`)}\n`

const SPECIAL = /["\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  return SHORT[character] ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')

function text(event: LogEvent): string {
  const head = `${new Date(event.time).toISOString()} ${event.level.padEnd(8)} ${event.role}[${event.pid}]`
  const line = `${head} ${escapeControls(event.message)}${textFields(event.fields)}\n`
  return event.details === undefined ? line : line + indented(event.details)
}

function textFields(fields: Fields = {}): string {
  let line = ''
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${name}=${textValue(value)}`
  }
  return line
}

/** Quoted only where a reader, or a program that splits at spaces, could be mistaken about where the value ends. */
function textValue(value: Exclude<FieldValue, undefined>): string {
  if (value === null) return '-'
  const plain = typeof value === 'object' ? value.join(',') : String(value)
  return /^[^\s"=\\]+$/.test(plain) && plain !== '-' && escapeControls(plain) === plain
    ? plain
    : `"${escapeQuoted(plain)}"`
}

function indented(details: string): string {
  const lines = details.replace(/\s+$/, '').split(/\r?\n/)
  return lines.map((line) => `    ${escapeControls(line.replaceAll('\t', '    '))}\n`).join('')
}

function json({ time, level, role, pid, message, fields, details }: LogEvent): string {
  return jsonLine({ time: new Date(time).toISOString(), level, role, pid, message, fields, details })
}
