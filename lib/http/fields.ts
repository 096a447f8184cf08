/** Field lines (RFC 9112 §5) up to the empty line that ends them: of a head, or of a trailer section. */
import { type Bytes, CLASS, COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from './bytes.ts'
import { HTTP_ERRORS } from './errors.ts'
import { CONTENT_TYPE, EXPECT, type FieldName, fieldName, HOST, ORDINARY, UNDERSCORE } from './names.ts'
import { DONE, IN_NAME, IN_VALUE, type Progress, type Status } from './progress.ts'
import type { Rules } from './rules.ts'
import { fieldValue } from './values.ts'
import { hasControl, type Window } from './window.ts'

/** Judges a field that the parser must understand, right behind its line. `start` is the offset of its value. */
export type FieldJudge = (name: FieldName, value: string, start: number, progress: Progress, rules: Rules) => Status

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
      while (at < stop && (classes[buffer[at]!]! & TOKEN) !== 0) at++
      if (at === end && at < limit) return progress.pause(IN_NAME, at)
      if (at === limit) return progress.fail(HTTP_ERRORS.FIELD_TOO_LARGE, at)
      if (buffer[at] === COLON && at > start) {
        if (progress.count === rules.fields) return progress.fail(HTTP_ERRORS.TOO_MANY_FIELDS, start)
        progress.name = fieldName(buffer, start, at)
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
    if ((at & 3) === 0) {
      const whole = stop >> 2
      let word = at >> 2
      while (word < whole && !hasControl(words[word]!)) word++
      at = word << 2
      while (at < stop && (classes[buffer[at]!]! & VALUE) !== 0) at++
    }
    if (at === end && at < limit) return progress.pause(IN_VALUE, at)
    if (at === limit) return progress.fail(HTTP_ERRORS.FIELD_TOO_LARGE, at)
    if (buffer[at] !== CR) return progress.fail(controlError(buffer[at]!), at)
    if (at + 1 === end) return progress.pause(IN_VALUE, at)
    if (buffer[at + 1] !== LF) return progress.fail(HTTP_ERRORS.BARE_CR, at)
    const status = endField(buffer, at, progress, rules, judge)
    if (status !== DONE) return status
    at += 2
    progress.fieldStart = start
    progress.lineStart = at
    phase = IN_NAME
  }
}

const controlError = (byte: number) => (byte === LF ? HTTP_ERRORS.BARE_LF : HTTP_ERRORS.FIELD_VALUE_INVALID)

/** Takes the value that ends before the CR at `cr`, without the white space around it. */
function endField(buffer: Bytes, cr: number, progress: Progress, rules: Rules, judge: FieldJudge): Status {
  let start = progress.valueStart
  let end = cr
  while (start < end && isBlank(buffer[start]!)) start++
  while (end > start && isBlank(buffer[end - 1]!)) end--
  const name = progress.name
  const value = progress.unfolding ? unfoldValue(buffer.latin1Slice(start, end)) : fieldValue(buffer, start, end)
  progress.unfolding = false
  progress.count++
  if (name.kind !== UNDERSCORE || rules.headerMap !== 'drop') progress.raw.push(name.text, value)
  return name.kind === ORDINARY ? DONE : judge(name, value, start, progress, rules)
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
  progress.unfolding = true
  progress.at = at
  progress.lineStart = progress.fieldStart
  return UNFOLDED
}

/** A value as it stands in the bytes, each fold in it replaced by one space (RFC 9112 §5.2). */
function unfoldValue(value: string): string {
  return trimBlanks(value.split('\r\n').map(trimBlanks).join(' '))
}

/** Without the SP and HTAB around it, and no other white space: 0xA0 is obs-text. */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const isBlank = (byte: number): boolean => byte === SP || byte === HTAB
