/**
 * Datagram → message, or the reason why it is none. Pure. What a worker says is not trusted: the app shares its process
 * and could write to the channel, so each field that the arbiter will use is looked at here.
 */
import type { ToArbiter, ToWorker } from './messages.ts'

type Check = (value: unknown) => boolean
type Shape = Readonly<Record<string, Check>>
/** The fields that a message of each kind must have. */
export type Shapes<Message extends { readonly kind: string }> = Readonly<Record<Message['kind'], Shape>>

/** The message in one datagram of JSON; a string says what is wrong with it, without repeating its bytes. */
export const decode = <Message extends { readonly kind: string }>(
  data: Uint8Array,
  shapes: Shapes<Message>,
): Message | string => {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString())
  } catch {
    return `${data.length} bytes that are no JSON`
  }
  if (!isRecord(value) || typeof value.kind !== 'string') return 'JSON without a kind'
  const kind = value.kind as Message['kind']
  if (!Object.hasOwn(shapes, kind)) return 'a message of an unknown kind'
  const shape = shapes[kind]
  // Not by `Object.entries`, which takes 150 µs where it has not run for a while: a worker's successor waits for this.
  for (const field in shape)
    if (!shape[field]!(value[field])) return `a "${kind}" message whose "${field}" is missing or wrong`
  return value as Message
}

/** Bytes that a datagram takes for sure: a socket's buffer has 212,992 (net.core.wmem_default, socket(7)), some of them used. */
const LONGEST = 200_000
/** What is left of an error's text and of its stack in a message that would be longer; a character takes six bytes at most. */
const LONGEST_TEXT = 8192

/** A message as one datagram. What an app's error says may be of any length, and is cut. */
export function encode(message: { readonly kind: string }): Uint8Array {
  const data = Buffer.from(JSON.stringify(message))
  return data.length <= LONGEST ? data : Buffer.from(JSON.stringify(message, cut))
}

const cut = (key: string, value: unknown): unknown =>
  (key === 'text' || key === 'stack') && typeof value === 'string' && value.length > LONGEST_TEXT
    ? `${value.slice(0, LONGEST_TEXT)}…`
    : value

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isText: Check = (value) => typeof value === 'string'
export const isFlag: Check = (value) => typeof value === 'boolean'
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
export const isList =
  (each: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(each)
export const isOneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string)
export const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

/** 48 bytes in base64. */
const isTicketKey: Check = (value) => typeof value === 'string' && value.length === 64

export const isAddress: Check = (value) => {
  if (!isRecord(value)) return false
  if (value.kind === 'tcp') return isText(value.host) && isPort(value.port) && maybe(isFlag)(value.v6only)
  return value.kind === 'unix' && isText(value.path) && maybe(isCount)(value.mode)
}
const isOpenSocket: Check = (value) => isRecord(value) && isText(value.name) && isAddress(value.address)
const isPort: Check = (value) => isCount(value) && (value as number) <= 65_535

/** What the arbiter may say. */
export const TO_WORKER = {
  go: {
    protocol: isCount,
    version: isText,
    arbiter: isCount,
    slot: isCount,
    generation: isCount,
    cell: isCount,
    listeners: isList(isAddress),
    settings: maybe(isRecord),
    waits: isFlag,
    lasts: isCount,
    tickets: maybe(isTicketKey),
  },
  stay: { arbiter: isCount, settings: isRecord, sibling: maybe(isCount), open: isList(isOpenSocket) },
  listening: { id: isCount, address: isAddress },
  refused: { id: isCount, code: isText, message: isText },
  unlistened: { id: isCount },
  drain: { within: isCount, stopping: isFlag, after: maybe(isCount) },
  accept: {},
  lend: { slot: isCount, listeners: isList(isAddress) },
  return: { slot: isCount },
  probe: { path: isText },
  tickets: { key: isTicketKey },
  promote: { patience: isCount },
  quit: {},
  reopen: { files: isList(isOneOf('stdout', 'stderr', 'accesslog')) },
} satisfies Shapes<ToWorker>

/** What a worker may say. */
export const TO_ARBITER = {
  announced: { pid: isCount },
  listen: { id: isCount, address: isAddress, backlog: isCount },
  unlisten: { id: isCount, address: isAddress },
  ready: { address: isList(isAddress) },
  lasted: {},
  probed: { passed: isFlag, text: isText },
  failed: {
    fault: isOneOf(
      'missing',
      'threw',
      'unusableExport',
      'neverListened',
      'exited',
      'clusterFork',
      'unsupported',
      'setting',
    ),
    text: isText,
    stack: maybe(isText),
  },
  retire: { reason: isText },
  loaded: { files: isList(isText), since: isCount },
  draining: { idle: isCount, active: isCount },
  log: { level: isOneOf('info', 'warning'), text: isText },
} satisfies Shapes<ToArbiter>
