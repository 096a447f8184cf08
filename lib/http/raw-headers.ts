/** Marked fields as Node's flat list of names and values. */
import type { Bytes } from './bytes.ts'
import { unfoldValue } from './fields.ts'
import { UNDERSCORE } from './names.ts'
import type { Progress } from './progress.ts'
import type { Rules } from './rules.ts'

/** The fields that `progress` has marked; values are latin1, as Node's. */
export function rawHeaders(buffer: Bytes, progress: Progress, rules: Rules): string[] {
  const { count, marks, names } = progress
  const raw: string[] = []
  for (let field = 0; field < count; field++) {
    const name = names[field]!
    if (name.kind === UNDERSCORE && rules.headerMap === 'drop') continue
    const value = buffer.latin1Slice(marks[2 * field]!, marks[2 * field + 1]!)
    raw.push(name.text, progress.folded ? unfoldValue(value) : value)
  }
  return raw
}
