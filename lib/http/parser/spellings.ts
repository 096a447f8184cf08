/**
 * Short byte strings that were seen before, in a table of fixed size: found by length and three bytes, then compared
 * byte by byte, so that a collision costs time and never gives another string. What a client invents replaces an
 * earlier entry of its slot, and nothing grows.
 */

const SLOTS = 2048

export class Spellings {
  /** Longer strings are never kept. At most 255. */
  readonly longest: number
  private readonly lengths = new Uint8Array(SLOTS)
  private readonly bytes: Uint8Array

  constructor(longest: number) {
    this.longest = longest
    this.bytes = new Uint8Array(SLOTS * longest)
  }

  /** Whether the bytes from `start` to `end` are the ones kept in this slot. */
  holds(slot: number, buffer: Uint8Array, start: number, end: number): boolean {
    if (this.lengths[slot] !== end - start) return false
    const bytes = this.bytes
    const shift = slot * this.longest - start
    let at = start
    while (at < end && bytes[shift + at] === buffer[at]) at++
    return at === end
  }

  /** Keeps them in this slot. */
  keep(slot: number, buffer: Uint8Array, start: number, end: number): void {
    this.lengths[slot] = end - start
    const shift = slot * this.longest - start
    for (let at = start; at < end; at++) this.bytes[shift + at] = buffer[at]!
  }
}

/** The slot of a string that is not empty. With these factors the field names in common use hardly ever meet. */
export function slotOf(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start
  const sum = length * 3349 + buffer[start]! * 2979 + buffer[end - 1]! * 1735 + buffer[start + (length >> 1)]! * 1459
  return sum & (SLOTS - 1)
}
