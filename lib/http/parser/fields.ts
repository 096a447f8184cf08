/** Field lines (RFC 9112 §5) up to the empty line that ends them: of a head, or of a trailer section. */

import { HTTP_ERRORS } from '../errors.ts'
import { type Bytes, CLASS, COLON, CR, isBlank, LF, TOKEN, VALUE } from './bytes.ts'
import { lineWithoutName, UNFOLDED } from './line-without-name.ts'
import { type FieldName, fieldName, ORDINARY, UNDERSCORE } from './names.ts'
import { DONE, IN_NAME, IN_VALUE, type Progress, type Status } from './progress.ts'
import { expectedLine, type RememberedLine, rememberLine, standsAt } from './remembered-lines.ts'
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
  const words = window.words
  let at = progress.at
  let phase = progress.phase
  for (;;) {
    const start = progress.lineStart
    const limit = start + rules.fieldSize - 1
    const stop = end < limit ? end : limit
    if (phase === IN_NAME) {
      if (at === start) {
        const before = progress.name.slot
        const line = expectedLine(at, before)
        if (line !== undefined) {
          const whole = at + line.length <= (end <= limit ? end : limit + 1)
          if (whole && standsAt(line, line.length, words, at)) {
            const status = takeLine(line, progress, rules, judge)
            if (status !== DONE) return status
            at = progress.lineStart
            continue
          }
          const colon = at + line.name.text.length
          if (colon < stop && standsAt(line, line.name.text.length + 1, words, at)) {
            const status = beginValue(line.name, colon, progress, rules)
            if (status !== DONE) return status
            progress.before = before
            at = colon + 1
            phase = IN_VALUE
            continue
          }
        }
        progress.before = before
      }
      while (at < stop && (classes[buffer[at]!]! & TOKEN) !== 0) at++
      if (at === end && at < limit) return progress.pause(IN_NAME, at)
      if (at === limit) return progress.fail(HTTP_ERRORS.FIELD_TOO_LARGE, at)
      if (buffer[at] === COLON && at > start) {
        const status = beginValue(fieldName(buffer, start, at), at, progress, rules)
        if (status !== DONE) return status
        at++
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
    if ((at & 3) === 0) at = skipText(words, at, stop)
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

/** The colon behind the name of the next field stands at `colon`. */
function beginValue(name: FieldName, colon: number, progress: Progress, rules: Rules): Status {
  if (progress.count === rules.fields) return progress.fail(HTTP_ERRORS.TOO_MANY_FIELDS, progress.lineStart)
  progress.name = name
  progress.folds = 0
  progress.valueStart = colon + 1
  return DONE
}

/** A line that came before, name and value in one. */
function takeLine(line: RememberedLine, progress: Progress, rules: Rules, judge: FieldJudge): Status {
  const status = beginValue(line.name, progress.lineStart + line.name.text.length, progress, rules)
  return status === DONE ? endField(line.value, true, progress.lineStart + line.length, progress, rules, judge) : status
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
