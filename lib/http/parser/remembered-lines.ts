/**
 * Field lines that came before, and which one mostly follows which name. Clients send the same lines again and again:
 * one that is the expected one to the last byte needs no look at its characters and no new strings.
 *
 * A line is kept in words of four bytes as they lie in the window, at its offset within a word, so that comparing goes
 * a word at a time. Only comparing decides: a wrong expectation costs time and never gives another line. The table has
 * a fixed size; a line is kept when it comes a second time, Cookie, Authorization and Proxy-Authorization never.
 */
import { type FieldName, NO_TRAILER, SECRET } from './names.ts'
import type { Window } from './window.ts'

/** `length` with its CRLF; `index` is its place in the table. */
export type RememberedLine = {
  readonly name: FieldName
  readonly value: string
  readonly length: number
  readonly index: number
}

const LINES = 1024
/** Of one line, with what comes before it in its first word. */
const WORDS = 64

/** Line 0 is none. */
const lines: (RememberedLine | undefined)[] = new Array(LINES).fill(undefined)
const words = new Int32Array(LINES * WORDS)
/** What was last seen at this place of the table, as a sum of some bytes. */
const sums = new Int32Array(LINES)
/** By the name before (0 is none) and the offset within a word: the line that followed. */
const followers = new Uint16Array(4 * 4096)

/** The bytes of a first word from its offset on; of a last word before its end. Right for either byte order. */
const FROM: Int32Array = masks((byte, offset) => byte >= offset)
const BEFORE: Int32Array = masks((byte, end) => byte < end || end === 0)

function masks(keeps: (byte: number, offset: number) => boolean): Int32Array {
  const bytes = Uint8Array.from({ length: 16 }, (_, index) => (keeps(index & 3, index >> 2) ? 255 : 0))
  return new Int32Array(bytes.buffer)
}

/** The line that is expected at `at` behind the field whose name has the slot `before`. */
export function expectedLine(at: number, before: number): RememberedLine | undefined {
  return lines[followers[4 * before + (at & 3)]!]
}

/** Whether the first `length` bytes of the line stand at `at`. What lies behind the bytes that came does not count. */
export function standsAt(line: RememberedLine, length: number, seen: Int32Array, at: number): boolean {
  const kept = words
  const first = line.index * WORDS
  const shift = (at >> 2) - first
  const end = at + length
  const last = ((end - 1) >> 2) - shift
  if (last === first) return ((seen[first + shift]! ^ kept[first]!) & FROM[at & 3]! & BEFORE[end & 3]!) === 0
  if ((seen[first + shift]! & FROM[at & 3]!) !== kept[first]) return false
  let word = first + 1
  while (word < last && seen[word + shift] === kept[word]) word++
  return word === last && ((seen[last + shift]! ^ kept[last]!) & BEFORE[end & 3]!) === 0
}

/** Takes note of a line that was not expected: from `at` to `end`, its CRLF included. */
export function rememberLine(
  window: Window,
  at: number,
  end: number,
  before: number,
  name: FieldName,
  value: string,
): void {
  const length = end - at
  const secret = name.kind === NO_TRAILER || name.kind === SECRET
  if (name.slot === 0 || secret || (at & 3) + length > 4 * WORDS || length < 8) return
  const sum = sumOf(window, at, end, name)
  const index = 1 + ((Math.imul(sum, 0x9e3779b1) >>> 16) % (LINES - 1))
  if (sums[index] !== sum) {
    sums[index] = sum
    return
  }
  const kept = lines[index]
  if (kept === undefined || kept.length !== length || !standsAt(kept, length, window.words, at)) {
    keep(window.words, at, end, index)
    lines[index] = { name, value, length, index }
  }
  followers[4 * before + (at & 3)] = index
}

function sumOf(window: Window, at: number, end: number, name: FieldName): number {
  const last = end - 3
  const { bytes } = window
  const middle = at + name.text.length + ((last - at - name.text.length) >> 1)
  return (
    (bytes[last]! << 24) ^
    (bytes[middle]! << 17) ^
    (bytes[middle + 1]! << 12) ^
    ((end - at) << 6) ^
    (name.slot << 2) ^
    (at & 3)
  )
}

function keep(seen: Int32Array, at: number, end: number, index: number): void {
  const first = index * WORDS
  const from = at >> 2
  const last = (end - 1) >> 2
  for (let word = from; word <= last; word++) words[first + word - from] = seen[word]!
  words[first]! &= FROM[at & 3]!
  words[first + last - from]! &= BEFORE[end & 3]!
}
