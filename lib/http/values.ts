/** Field values as strings. Short ones are mostly ones that came before: the same string then, made once. */
import type { Bytes } from './bytes.ts'
import { Spellings, slotOf } from './spellings.ts'

const spellings = new Spellings(32)
const texts: string[] = []

/** The value that stands in `buffer` from `start` to `end`, as latin1. */
export function fieldValue(buffer: Bytes, start: number, end: number): string {
  if (start === end) return ''
  if (end - start > spellings.longest) return buffer.latin1Slice(start, end)
  const slot = slotOf(buffer, start, end)
  if (spellings.holds(slot, buffer, start, end)) return texts[slot]!
  const text = buffer.latin1Slice(start, end)
  spellings.keep(slot, buffer, start, end)
  texts[slot] = text
  return text
}
