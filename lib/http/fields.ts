/** Field lines (RFC 9112 §5) up to the empty line that ends them: of a head, or of a trailer section. */
import { type Bytes, CLASS, COLON, CR, isBlank, LF, TOKEN, VALUE } from './bytes.ts'
import { HTTP_ERRORS } from './errors.ts'
import { CONTENT_TYPE, EXPECT, fieldName, HOST, ORDINARY, UNDERSCORE } from './names.ts'
import { DONE, IN_NAME, IN_VALUE, type Progress, type Status } from './progress.ts'
import { expectedLine, type RememberedLine, rememberLine } from './remembered-lines.ts'
import type { Rules } from './rules.ts'
import { skipText, type Window } from './window.ts'

/**
 * Judges the current field of `progress`, one that the parser must understand, behind its line. `proven`: this value
 * of this field has passed before.
 */
export type FieldJudge = (value: string, proven: boolean, progress: Progress, rules: Rules) => Status

/** Reads on from where `progress` stands; when it is done, `progress` stands behind the empty line. */
export function scanFields(window: Window, end: number, progress: Progress, rules: Rules, judge: FieldJudge): Status {
  const classes = CLASS
  const buffer = window.bytes
  let at = progress.at
  let phase = progress.phase
  for (;;) {
    const start = progress.lineStart
    const limit = start + rules.fieldSize - 1
    const stop = end < limit ? end : limit
    if (phase === IN_NAME) {
      if (at === start) {
        const line = expectedLine(window, at, end <= limit ? end : limit + 1, progress.name.slot)
        if (line !== undefined) {
          const status = takeLine(line, progress, rules, judge)
          if (status !== DONE) return status
          at = progress.lineStart
          continue
        }
        progress.before = progress.name.slot
      }
      while (at < stop && (classes[buffer[at]!]! & TOKEN) !== 0) at++
      if (at === end && at < limit) return progress.pause(IN_NAME, at)
      if (at === limit) return progress.fail(HTTP_ERRORS.FIELD_TOO_LARGE, at)
      if (buffer[at] === COLON && at > start) {
        if (progress.count === rules.fields) return progress.fail(HTTP_ERRORS.TOO_MANY_FIELDS, start)
        progress.name = fieldName(buffer, start, at)
        progress.folds = 0
        at++
        progress.valueStart = at
      } else {
        if (at > start) return progress.fail(HTTP_ERRORS.FIELD_NAME_INVALID, at)
        const status = lineWithoutName(buffer, end, progress, rules)
        if (status !== UNFOLDED) return status
        at = progress.at
      }
      phase = IN_VALUE
      continue
    }
    while ((at & 3) !== 0 && at < stop && (classes[buffer[at]!]! & VALUE) !== 0) at++
    if ((at & 3) === 0) at = skipText(window.words, at, stop)
    while (at < stop && (classes[buffer[at]!]! & VALUE) !== 0) at++
    if (at === end && at < limit) return progress.pause(IN_VALUE, at)
    if (at === limit) return progress.fail(HTTP_ERRORS.FIELD_TOO_LARGE, at)
    if (buffer[at] !== CR) return progress.fail(controlError(buffer[at]!), at)
    if (at + 1 === end) return progress.pause(IN_VALUE, at)
    if (buffer[at + 1] !== LF) return progress.fail(HTTP_ERRORS.BARE_CR, at)
    const status = endLine(window, at, progress, rules, judge)
    if (status !== DONE) return status
    at = progress.lineStart
    phase = IN_NAME
  }
}

const controlError = (byte: number) => (byte === LF ? HTTP_ERRORS.BARE_LF : HTTP_ERRORS.FIELD_VALUE_INVALID)

/** A line that came before, name and value in one. */
function takeLine(line: RememberedLine, progress: Progress, rules: Rules, judge: FieldJudge): Status {
  if (progress.count === rules.fields) return progress.fail(HTTP_ERRORS.TOO_MANY_FIELDS, progress.lineStart)
  progress.name = line.name
  progress.folds = 0
  progress.valueStart = progress.lineStart + line.name.text.length + 1
  return endField(line.value, true, progress.lineStart + line.length, progress, rules, judge)
}

/** The line whose CR stands at `cr`. */
function endLine(window: Window, cr: number, progress: Progress, rules: Rules, judge: FieldJudge): Status {
  const { lineStart: start, name, before, folds } = progress
  const text = trimmed(window.bytes, progress.valueStart, cr)
  const status = endField(folds === 0 ? text : unfolded(text, progress), false, cr + 2, progress, rules, judge)
  if (folds === 0 && status === DONE) rememberLine(window, start, cr + 2, before, name, text)
  return status
}

/** Without the white space around it. */
function trimmed(buffer: Bytes, start: number, end: number): string {
  while (start < end && isBlank(buffer[start]!)) start++
  while (end > start && isBlank(buffer[end - 1]!)) end--
  return buffer.latin1Slice(start, end)
}

/** The value with another line of it, each fold between two texts replaced by one space (RFC 9112 §5.2). */
function unfolded(text: string, progress: Progress): string {
  const { value, folds } = progress
  if (text === '') return value
  progress.folds = 0
  return value === '' ? text : value + ' '.repeat(folds) + text
}

/** Takes the current field over with its value; the next line begins at `next`. */
function endField(
  value: string,
  proven: boolean,
  next: number,
  progress: Progress,
  rules: Rules,
  judge: FieldJudge,
): Status {
  const { name } = progress
  progress.count++
  progress.value = value
  progress.fieldStart = progress.lineStart
  progress.lineStart = next
  if (name.kind !== UNDERSCORE || rules.headerMap !== 'drop') progress.raw.push(name.text, value)
  return name.kind === ORDINARY ? DONE : judge(value, proven, progress, rules)
}

/** The line goes on with the value of the field before it. */
const UNFOLDED = 3

/** The end of the section, a folded line, or an error. */
function lineWithoutName(buffer: Bytes, end: number, progress: Progress, rules: Rules): Status | typeof UNFOLDED {
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
