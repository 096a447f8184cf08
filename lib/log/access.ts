/**
 * The lines of the access log. Pure: one record of a response in, one line out.
 *
 * A format is text with gunicorn's atoms, `%(h)s`, and `%%` for a percent sign; `json` is one object with all of them.
 * A value that is not known is `-`. Quotes, backslashes and control characters in values are escaped, so that no client
 * can end a field or a line.
 */
import { commonLogTime } from './access-time.ts'
import { escapeControls, escapeQuoted, jsonLine } from './format.ts'

/** What there is to say about a response. Header names are asked for in lower case. */
export type AccessRecord = {
  /** When the response was sent, in milliseconds since the epoch, and the minutes that local time is ahead of UTC. */
  readonly time: number
  readonly zone: number
  /** Of the worker. */
  readonly pid: number
  /** The client's address; '' over a UNIX socket. */
  readonly remote: string
  /** From Basic authentication, '' without; never checked by us. */
  readonly user: string
  readonly method: string
  /** As it came, query included. */
  readonly target: string
  /** `HTTP/1.1`. */
  readonly protocol: string
  readonly status: number
  /** Of the response's body, as it was sent. */
  readonly bytes: number
  /** Milliseconds from the head of the request to the end of the response. */
  readonly duration: number
  /** The client went away before the end. */
  readonly aborted: boolean
  requestHeader(name: string): string | undefined
  responseHeader(name: string): string | undefined
  /** Of the worker's environment. */
  variable(name: string): string | undefined
}

/** The line of a record, its newline included. */
export type AccessFormatter = (record: AccessRecord) => string

type Atom = (record: AccessRecord) => string | number

/** Compiles a format once. Throws an `Error` that says what a format may be where it is none. */
export function accessFormatter(format: string): AccessFormatter {
  if (format === 'json') return (record) => jsonLine(asObject(record))
  const parts = parse(format)
  return (record) => {
    let line = ''
    for (const part of parts) line += typeof part === 'string' ? part : escapeQuoted(String(part(record)))
    return `${line}\n`
  }
}

/** What a format should be where it is none; null where it is. */
export function accessFormatProblem(format: string): string | null {
  try {
    accessFormatter(format)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

const PART = /%(?:%|\(([^()]*)\)([sd]))/g

/** Fixed text and atoms in their order. */
function parse(format: string): (string | Atom)[] {
  const parts: (string | Atom)[] = []
  let end = 0
  for (const match of format.matchAll(PART)) {
    const [whole, name] = match
    parts.push(fixed(format.slice(end, match.index)), name === undefined ? '%' : atomOf(name))
    end = match.index + whole.length
  }
  parts.push(fixed(format.slice(end)))
  return parts.filter((part) => part !== '')
}

function fixed(text: string): string {
  if (!text.includes('%')) return escapeControls(text)
  throw new Error('a format with atoms such as %(h)s and with %% for a percent sign')
}

const ATOMS: Readonly<Record<string, Atom>> = {
  h: ({ remote }) => remote || '-',
  l: () => '-',
  u: ({ user }) => user || '-',
  t: ({ time, zone }) => commonLogTime(time, zone),
  r: ({ method, target, protocol }) => `${method} ${target} ${protocol}`,
  s: ({ status }) => status,
  m: ({ method }) => method,
  U: ({ target }) => pathOf(target),
  q: ({ target }) => queryOf(target),
  H: ({ protocol }) => protocol,
  b: ({ bytes }) => (bytes === 0 ? '-' : bytes),
  B: ({ bytes }) => bytes,
  f: (record) => record.requestHeader('referer') ?? '-',
  a: (record) => record.requestHeader('user-agent') ?? '-',
  T: ({ duration }) => Math.floor(duration / 1000),
  M: ({ duration }) => Math.floor(duration),
  D: ({ duration }) => Math.round(duration * 1000),
  L: ({ duration }) => (duration / 1000).toFixed(6),
  p: ({ pid }) => `<${pid}>`,
}

function atomOf(name: string): Atom {
  const known = Object.hasOwn(ATOMS, name) ? ATOMS[name] : undefined
  if (known) return known
  const [, quoted, kind] = /^\{([^{}]+)\}([ioe])$/.exec(name) ?? []
  if (quoted === undefined) throw new Error(`a format without %(${name})s, which is no atom; there are ${NAMES}`)
  const lower = quoted.toLowerCase()
  if (kind === 'i') return (record) => record.requestHeader(lower) ?? '-'
  if (kind === 'o') return (record) => record.responseHeader(lower) ?? '-'
  return (record) => record.variable(quoted) ?? '-'
}

const NAMES = `${Object.keys(ATOMS).join(', ')}, and {NAME}i, {NAME}o, {NAME}e for a request header, a response header, a variable`

function asObject(record: AccessRecord): object {
  const { time, pid, remote, user, method, target, protocol, status, bytes, duration, aborted } = record
  return {
    time: new Date(time).toISOString(),
    pid,
    remote: remote || null,
    user: user || null,
    method,
    path: pathOf(target),
    query: queryOf(target),
    protocol,
    status,
    bytes,
    durationMs: Math.round(duration * 1000) / 1000,
    referer: record.requestHeader('referer') ?? null,
    userAgent: record.requestHeader('user-agent') ?? null,
    aborted,
  }
}

const pathOf = (target: string): string => {
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}

const queryOf = (target: string): string => {
  const query = target.indexOf('?')
  return query < 0 ? '' : target.slice(query + 1)
}
