/** Field lines (RFC 9112 §5) up to the empty line that ends them: of a head, or of a trailer section. */
import { type Bytes, CLASS, COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from './bytes.ts'
import { HTTP_ERRORS } from './errors.ts'
import { CONTENT_TYPE, EXPECT, type FieldName, fieldName, HOST, ORDINARY } from './names.ts'
import { DONE, IN_NAME, IN_VALUE, type Progress, type Status } from './progress.ts'
import type { Rules } from './rules.ts'

/** Judges a field that the parser must understand, right behind its line. */
export type FieldJudge = (
  buffer: Bytes,
  name: FieldName,
  start: number,
  end: number,
  progress: Progress,
  rules: Rules,
) => Status

/** Reads on from where `progress` stands; when it is done, `progress` stands behind the empty line. */
export function scanFields(buffer: Bytes, end: number, progress: Progress, rules: Rules, judge: FieldJudge): Status {
  const classes = CLASS
  let at = progress.at
  let phase = progress.phase
  for (;;) {
    const limit = progress.lineStart + rules.fieldSize - 1
    const stop = end < limit ? end : limit
    if (phase === IN_NAME) {
      while (at < stop && (classes[buffer[at]!]! & TOKEN) !== 0) at++
      if (at === end && at < limit) return progress.pause(IN_NAME, at)
      if (at === limit) return progress.fail(HTTP_ERRORS.FIELD_TOO_LARGE, at)
      const start = progress.lineStart
      if (buffer[at] === COLON && at > start) {
        if (progress.count === rules.fields) return progress.fail(HTTP_ERRORS.TOO_MANY_FIELDS, start)
        progress.grow()
        progress.names[progress.count] = fieldName(buffer, start, at)
        at++
        progress.marks[2 * progress.count] = at
      } else {
        if (at > start) return progress.fail(HTTP_ERRORS.FIELD_NAME_INVALID, at)
        const status = lineWithoutName(buffer, end, progress, rules)
        if (status !== UNFOLDED) return status
        at = progress.at
      }
      phase = IN_VALUE
      continue
    }
    while (at < stop && (classes[buffer[at]!]! & VALUE) !== 0) at++
    if (at === end && at < limit) return progress.pause(IN_VALUE, at)
    if (at === limit) return progress.fail(HTTP_ERRORS.FIELD_TOO_LARGE, at)
    if (buffer[at] !== CR) return progress.fail(controlError(buffer[at]!), at)
    if (at + 1 === end) return progress.pause(IN_VALUE, at)
    if (buffer[at + 1] !== LF) return progress.fail(HTTP_ERRORS.BARE_CR, at)
    const status = endField(buffer, at, progress, rules, judge)
    if (status !== DONE) return status
    at += 2
    progress.fieldStart = progress.lineStart
    progress.lineStart = at
    phase = IN_NAME
  }
}

const controlError = (byte: number) => (byte === LF ? HTTP_ERRORS.BARE_LF : HTTP_ERRORS.FIELD_VALUE_INVALID)

/** Marks the value that ends before the CR at `cr`, without the white space around it. */
function endField(buffer: Bytes, cr: number, progress: Progress, rules: Rules, judge: FieldJudge): Status {
  const field = 2 * progress.count
  let start = progress.marks[field]!
  let end = cr
  while (start < end && (buffer[start] === SP || buffer[start] === HTAB)) start++
  while (end > start && (buffer[end - 1] === SP || buffer[end - 1] === HTAB)) end--
  progress.marks[field] = start
  progress.marks[field + 1] = end
  const name = progress.names[progress.count++]!
  return name.kind === ORDINARY ? DONE : judge(buffer, name, start, end, progress, rules)
}

/** The line goes on with the value of the field before it. */
const UNFOLDED = 3

/** The end of the section, a folded line, or an error. */
function lineWithoutName(buffer: Bytes, end: number, progress: Progress, rules: Rules): Status | typeof UNFOLDED {
  const at = progress.lineStart
  const byte = buffer[at]
  if (byte === CR) {
    if (at + 1 === end) return progress.pause(IN_NAME, at)
    if (buffer[at + 1] !== LF) return progress.fail(HTTP_ERRORS.BARE_CR, at)
    progress.at = at + 2
    return DONE
  }
  if (byte === LF) return progress.fail(HTTP_ERRORS.BARE_LF, at)
  if ((byte !== SP && byte !== HTAB) || progress.count === 0) {
    return progress.fail(HTTP_ERRORS.FIELD_NAME_INVALID, at)
  }
  return unfold(progress, at, rules)
}

/** Takes the last field up again; its limit counts from its first line. */
function unfold(progress: Progress, at: number, rules: Rules): Status | typeof UNFOLDED {
  const last = progress.count - 1
  const { kind } = progress.names[last]!
  if (!rules.folding || (kind >= HOST && kind <= EXPECT)) return progress.fail(HTTP_ERRORS.OBSOLETE_FOLDING, at)
  if (kind === CONTENT_TYPE) progress.contentType = false
  progress.count = last
  progress.folded = true
  progress.at = at
  progress.lineStart = progress.fieldStart
  return UNFOLDED
}

/** A value as it stands in the bytes, each fold in it replaced by one space (RFC 9112 §5.2). */
export function unfoldValue(value: string): string {
  return value.includes('\r') ? trimBlanks(value.split('\r\n').map(trimBlanks).join(' ')) : value
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
