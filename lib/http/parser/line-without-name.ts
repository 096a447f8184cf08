/** A line that does not begin with a field name: the empty one, a folded one, or an error. */

import { HTTP_ERRORS } from '../errors.ts'
import { type Bytes, CR, isBlank, LF } from './bytes.ts'
import { CONTENT_TYPE, EXPECT, HOST, UNDERSCORE } from './names.ts'
import { DONE, IN_NAME, type Progress, type Status } from './progress.ts'
import type { Rules } from './rules.ts'

/** The line goes on with the value of the field before it. */
export const UNFOLDED = 3

/** The end of the section, a folded line, or an error. */
export function lineWithoutName(
  buffer: Bytes,
  end: number,
  progress: Progress,
  rules: Rules,
): Status | typeof UNFOLDED {
  const at = progress.lineStart
  const byte = buffer[at]!
  if (byte === CR) {
    if (at + 1 === end) return progress.pause(IN_NAME, at)
    if (buffer[at + 1] !== LF) return progress.fail(HTTP_ERRORS.BARE_CR, at)
    progress.at = at + 2
    return DONE
  }
  if (byte === LF) return progress.fail(HTTP_ERRORS.BARE_LF, at)
  if (!isBlank(byte) || progress.count === 0) return progress.fail(HTTP_ERRORS.FIELD_NAME_INVALID, at)
  return unfold(progress, at, rules)
}

/** Takes the last field up again; its limit counts from its first line. */
function unfold(progress: Progress, at: number, rules: Rules): Status | typeof UNFOLDED {
  const { kind } = progress.name
  if (!rules.folding || (kind >= HOST && kind <= EXPECT)) return progress.fail(HTTP_ERRORS.OBSOLETE_FOLDING, at)
  if (kind === CONTENT_TYPE) progress.contentType = false
  if (kind !== UNDERSCORE || rules.headerMap !== 'drop') progress.raw.length -= 2
  progress.count--
  progress.folds++
  progress.valueStart = at
  progress.at = at
  progress.lineStart = progress.fieldStart
  return UNFOLDED
}
