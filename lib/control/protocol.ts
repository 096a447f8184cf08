/**
 * The control protocol: one JSON object a line in, one a line out, on a UNIX stream socket.
 *
 *   {"cmd": "stop", "name": "ticker"}      →  {"ok": true, "message": "ticker stopping"}
 *   {"cmd": "stop"}                        →  {"ok": false, "error": "\"name\" is missing …"}
 *
 * Pure. A request is checked against the table of the commands that a server knows; what is not exactly right is
 * refused with one line that names the key, what was wrong and what is allowed, and nothing is done.
 */
import type { Key, Keys, Values } from './keys.ts'

/** What every server answers. Keys beyond these are the command's own. */
export type Answer = Success | Failure
export type Success = { readonly ok: true; readonly [key: string]: unknown }
export type Failure = { readonly ok: false; readonly error: string; readonly [key: string]: unknown }

/** Who asked, for commands that take time or answer more than once. */
export type Asker = {
  /** Fires when the client is gone: nobody will read the answer. */
  readonly gone: AbortSignal
  /** Sends a line before the answer. Resolves when the client has room for the next one, or is gone. */
  send(line: Success): Promise<void>
}

export type Command<K extends Keys = Keys> = {
  /** The keys beside `cmd`. */
  readonly keys: K
  readonly run: (values: Values<K>, asker: Asker) => Answer | Promise<Answer>
}
export type Commands = Readonly<Record<string, Command>>

/** Gives a command of the table the types of its keys. */
export const command = <K extends Keys>(keys: K, run: Command<K>['run']): Command =>
  ({ keys, run }) as unknown as Command

export type Request =
  | { readonly kind: 'request'; readonly cmd: string; readonly command: Command; readonly values: Values<Keys> }
  | { readonly kind: 'refused'; readonly error: string }

/** Checks one line. `whole` is false where the stream ended without a newline: the line may have been cut. */
export function parseRequest(line: Buffer, commands: Commands, whole = true): Request {
  const parsed = parseObject(line, whole)
  if (typeof parsed === 'string') return refused(parsed)
  const { cmd, ...given } = parsed
  if (cmd === undefined) return refused(`"cmd" is missing: it is one of ${list(Object.keys(commands))}`)
  if (typeof cmd !== 'string') return refused(`"cmd" must be a string, not ${kindOf(cmd)}`)
  const found = Object.hasOwn(commands, cmd) ? commands[cmd] : undefined
  if (found === undefined) return refused(`unknown command ${quote(cmd)}: it is one of ${list(Object.keys(commands))}`)
  const values = readValues(cmd, given, found.keys)
  return typeof values === 'string' ? refused(values) : { kind: 'request', cmd, command: found, values }
}

/** Reads an answer. Throws an `Error` of one line where it is none. */
export function parseAnswer(line: Buffer): Answer {
  const parsed = parseObject(line, true)
  if (typeof parsed === 'string') throw new Error(`not an answer of monoceros: ${parsed}`)
  if (parsed.ok === true) return parsed as Success
  if (parsed.ok === false && typeof parsed.error === 'string') return parsed as Failure
  throw new Error('not an answer of monoceros: it has neither "ok": true nor an "error"')
}

export const failure = (error: string): Failure => ({ ok: false, error })

/** As it travels: one line. JSON.stringify leaves no newline inside. */
export const encodeLine = (value: object): string => `${JSON.stringify(value)}\n`

const refused = (error: string): Request => ({ kind: 'refused', error })

function parseObject(line: Buffer, whole: boolean): Readonly<Record<string, unknown>> | string {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line))
  } catch (error) {
    if (!whole) return 'the connection ended in the middle of a request: nothing was done'
    return error instanceof SyntaxError ? 'a request must be JSON on one line' : 'a request must be UTF-8'
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return `a request must be a JSON object, not ${kindOf(parsed)}`
  return parsed as Record<string, unknown>
}

function readValues(cmd: string, given: Readonly<Record<string, unknown>>, keys: Keys): Values<Keys> | string {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(keys, name))
  if (unknown !== undefined) {
    const known = Object.keys(keys)
    return `unknown key ${quote(unknown)}: "${cmd}" takes ${known.length > 0 ? list(known) : 'no keys'}`
  }
  const values: Record<string, unknown> = {}
  for (const [name, key] of Object.entries(keys) as [string, Key<unknown>][]) {
    const value = given[name]
    if (value === undefined) {
      if (key.required) return `"${name}" is missing: "${cmd}" needs it, ${key.allowed}`
      continue
    }
    if (!key.accepts(value)) return `"${name}" must be ${key.allowed}, not ${shown(value)}`
    values[name] = value
  }
  return values
}

const list = (names: readonly string[]): string => names.join(', ')

const kindOf = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The longest piece of somebody's input that is repeated in an answer. */
const LONGEST_QUOTE = 64

const quote = (text: string): string =>
  JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text)

const shown = (value: unknown): string => {
  if (typeof value === 'string') return quote(value)
  return typeof value === 'number' ? String(value) : kindOf(value)
}
