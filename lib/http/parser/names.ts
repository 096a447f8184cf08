/** Field names as strings, made once, with what the parser itself must know of each. */
import type { Bytes } from './bytes.ts'
import { Spellings, slotOf } from './spellings.ts'

/** What the parser itself must know of a field. */
export type FieldKind =
  | typeof ORDINARY
  | typeof HOST
  | typeof CONTENT_LENGTH
  | typeof TRANSFER_ENCODING
  | typeof CONNECTION
  | typeof UPGRADE
  | typeof EXPECT
  | typeof CONTENT_TYPE
  | typeof NO_TRAILER
  | typeof UNDERSCORE
  | typeof UNDERSCORE_FRAMING
  | typeof SECRET

export const ORDINARY = 0
export const HOST = 1
export const CONTENT_LENGTH = 2
export const TRANSFER_ENCODING = 3
export const CONNECTION = 4
export const UPGRADE = 5
export const EXPECT = 6
export const CONTENT_TYPE = 7
/** Ordinary in a head (Authorization: credentials), refused among trailers. */
export const NO_TRAILER = 8
/** Holds `_`. */
export const UNDERSCORE = 9
/** Content_Length and the like, which a CGI environment cannot tell from the field itself. */
export const UNDERSCORE_FRAMING = 10
/** Ordinary, but credentials. */
export const SECRET = 11

/** `slot` tells names apart that are kept, from 1 on. */
export type FieldName = { readonly text: string; readonly kind: FieldKind; readonly slot: number }

const KINDS: Readonly<Record<string, FieldKind>> = {
  host: HOST,
  'content-length': CONTENT_LENGTH,
  'transfer-encoding': TRANSFER_ENCODING,
  connection: CONNECTION,
  upgrade: UPGRADE,
  expect: EXPECT,
  'content-type': CONTENT_TYPE,
  trailer: NO_TRAILER,
  authorization: NO_TRAILER,
  te: NO_TRAILER,
  cookie: SECRET,
  'proxy-authorization': SECRET,
}

const spellings = new Spellings(48)
const names: FieldName[] = []

/** The name that stands in `buffer` from `start` to `end` (which is not empty). */
export function fieldName(buffer: Bytes, start: number, end: number): FieldName {
  if (end - start > spellings.longest) return makeName(buffer, start, end, 0)
  const slot = slotOf(buffer, start, end)
  if (spellings.holds(slot, buffer, start, end)) return names[slot]!
  const name = makeName(buffer, start, end, slot + 1)
  spellings.keep(slot, buffer, start, end)
  names[slot] = name
  return name
}

function makeName(buffer: Bytes, start: number, end: number, slot: number): FieldName {
  const text = buffer.latin1Slice(start, end)
  return { text, kind: kindOf(text.toLowerCase()), slot }
}

function kindOf(lower: string): FieldKind {
  if (!lower.includes('_')) return Object.hasOwn(KINDS, lower) ? KINDS[lower]! : ORDINARY
  const kind = KINDS[lower.replaceAll('_', '-')]
  return kind === HOST || kind === CONTENT_LENGTH || kind === TRANSFER_ENCODING ? UNDERSCORE_FRAMING : UNDERSCORE
}
