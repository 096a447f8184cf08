/**
 * Field names as strings, made once: a direct-mapped table of spellings, found by length and three bytes and then
 * compared byte by byte, so that a collision costs time and never gives another name. Its size is fixed: what a
 * client invents replaces an earlier entry of its slot.
 */
import type { Bytes } from './bytes.ts'

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

export const ORDINARY = 0
export const HOST = 1
export const CONTENT_LENGTH = 2
export const TRANSFER_ENCODING = 3
export const CONNECTION = 4
export const UPGRADE = 5
export const EXPECT = 6
export const CONTENT_TYPE = 7
/** Ordinary in a head, refused among trailers. */
export const NO_TRAILER = 8
/** Holds `_`. */
export const UNDERSCORE = 9
/** Content_Length and the like, which a CGI environment cannot tell from the field itself. */
export const UNDERSCORE_FRAMING = 10

export type FieldName = { readonly text: string; readonly kind: FieldKind }

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
}

const SLOTS = 1024
/** Longer names are not kept. */
const LONGEST = 64

const names: (FieldName | undefined)[] = new Array(SLOTS).fill(undefined)
const lengths = new Uint8Array(SLOTS)
const spellings = new Uint8Array(SLOTS * LONGEST)

/** The name that stands in `buffer` from `start` to `end` (which is not empty). */
export function fieldName(buffer: Bytes, start: number, end: number): FieldName {
  const length = end - start
  if (length > LONGEST) return makeName(buffer, start, end)
  const slot =
    (length * 71 + buffer[start]! * 31 + buffer[end - 1]! * 149 + buffer[start + (length >> 1)]! * 7) & (SLOTS - 1)
  if (lengths[slot] === length) {
    const spelling = slot * LONGEST - start
    let at = start
    while (at < end && spellings[spelling + at] === buffer[at]) at++
    if (at === end) return names[slot]!
  }
  const name = makeName(buffer, start, end)
  names[slot] = name
  lengths[slot] = length
  for (let at = start; at < end; at++) spellings[slot * LONGEST + at - start] = buffer[at]!
  return name
}

function makeName(buffer: Bytes, start: number, end: number): FieldName {
  const text = buffer.latin1Slice(start, end)
  return { text, kind: kindOf(text.toLowerCase()) }
}

function kindOf(lower: string): FieldKind {
  if (!lower.includes('_')) return Object.hasOwn(KINDS, lower) ? KINDS[lower]! : ORDINARY
  const kind = KINDS[lower.replaceAll('_', '-')]
  return kind === HOST || kind === CONTENT_LENGTH || kind === TRANSFER_ENCODING ? UNDERSCORE_FRAMING : UNDERSCORE
}
