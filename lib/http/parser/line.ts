/** The request line (RFC 9112 §3): METHOD SP TARGET SP HTTP/d.d CRLF, judged as malformed, then version, then method. */

import { HTTP_ERRORS } from '../errors.ts'
import { type Bytes, CLASS, CR, DIGIT, LF, METHOD, SLASH, SP, TARGET, TOKEN, ZERO } from './bytes.ts'
import {
  ASTERISK_FORM,
  AUTHORITY_FORM,
  DONE,
  IN_METHOD,
  IN_NAME,
  IN_TARGET,
  IN_VERSION,
  type Progress,
  START,
  type Status,
} from './progress.ts'
import type { Rules } from './rules.ts'
import { targetForm } from './target.ts'
import { skipTarget, type Window } from './window.ts'

/** Reads on from where `progress` stands; when it is done, `progress` stands at the first field. */
export function scanLine(window: Window, end: number, progress: Progress, rules: Rules): Status {
  const buffer = window.bytes
  if (progress.phase === START) {
    const status = skipEmptyLines(buffer, end, progress)
    if (status !== DONE) return status
  }
  if (progress.phase === IN_METHOD) {
    const status = scanMethod(buffer, end, progress, rules)
    if (status !== DONE) return status
  }
  if (progress.phase === IN_TARGET) {
    const status = scanTarget(window, end, progress, rules)
    if (status !== DONE) return status
  }
  return scanVersion(buffer, end, progress)
}

/** RFC 9112 §2.2: at least one empty line before the request line is to be ignored. The head's limit bounds them. */
function skipEmptyLines(buffer: Bytes, end: number, progress: Progress): Status {
  let at = progress.at
  while (at < end && buffer[at] === CR) {
    if (at + 1 === end) return progress.pause(START, at)
    if (buffer[at + 1] !== LF) return progress.fail(HTTP_ERRORS.REQUEST_LINE_MALFORMED, at)
    at += 2
  }
  if (at === end) return progress.pause(START, at)
  progress.lineStart = at
  progress.at = at
  progress.phase = IN_METHOD
  return DONE
}

const G = 71
const E = 69
const T = 84
const P = 80
const O = 79
const S = 83

function scanMethod(buffer: Bytes, end: number, progress: Progress, rules: Rules): Status {
  const start = progress.lineStart
  if (start + 5 <= end) {
    if (buffer[start] === G && buffer[start + 1] === E && buffer[start + 2] === T && buffer[start + 3] === SP) {
      return methodDone(progress, 'GET', start + 4, rules)
    }
    if (
      buffer[start] === P &&
      buffer[start + 1] === O &&
      buffer[start + 2] === S &&
      buffer[start + 3] === T &&
      buffer[start + 4] === SP
    ) {
      return methodDone(progress, 'POST', start + 5, rules)
    }
  }
  const classes = CLASS
  const allowed = rules.anyMethod ? TOKEN : METHOD
  const limit = start + rules.line
  const stop = end < limit ? end : limit
  let at = progress.at
  while (at < stop && (classes[buffer[at]!]! & allowed) !== 0) at++
  if (at === stop && at < limit) return progress.pause(IN_METHOD, at)
  if (at === stop) return progress.fail(HTTP_ERRORS.METHOD_MALFORMED, at)
  if (buffer[at] === CR || buffer[at] === LF) return progress.fail(HTTP_ERRORS.REQUEST_LINE_MALFORMED, at)
  if (buffer[at] !== SP || at === start) return progress.fail(HTTP_ERRORS.METHOD_MALFORMED, at)
  return methodDone(progress, buffer.latin1Slice(start, at), at + 1, rules)
}

function methodDone(progress: Progress, method: string, at: number, rules: Rules): Status {
  progress.method = method
  progress.knownMethod = rules.anyMethod || rules.methods.has(method)
  progress.targetStart = at
  progress.at = at
  progress.phase = IN_TARGET
  return DONE
}

/** ` HTTP/1.1` */
const AFTER_TARGET = 9

function scanTarget(window: Window, end: number, progress: Progress, rules: Rules): Status {
  const classes = CLASS
  const buffer = window.bytes
  const start = progress.targetStart
  const limit = progress.lineStart + rules.line - AFTER_TARGET + 1
  const stop = end < limit ? end : limit
  let at = progress.at
  while ((at & 3) !== 0 && at < stop && (classes[buffer[at]!]! & TARGET) !== 0) at++
  if ((at & 3) === 0) at = skipTarget(window.words, at, stop)
  while (at < stop && (classes[buffer[at]!]! & TARGET) !== 0) at++
  if (at >= limit) return progress.fail(HTTP_ERRORS.REQUEST_LINE_TOO_LONG, at)
  if (at === end) return progress.pause(IN_TARGET, at)
  if (buffer[at] !== SP || at === start) {
    const shape = at === start || buffer[at] === CR || buffer[at] === LF
    return progress.fail(shape ? HTTP_ERRORS.REQUEST_LINE_MALFORMED : HTTP_ERRORS.TARGET_CHARACTER, at)
  }
  progress.targetEnd = at
  progress.target = buffer.latin1Slice(start, at)
  if (buffer[start] !== SLASH) {
    const form = targetForm(progress.target)
    if (form === null) return progress.fail(HTTP_ERRORS.TARGET_FORM, start)
    progress.form = form
  }
  progress.at = at + 1
  progress.phase = IN_VERSION
  return DONE
}

/** A digit stands where these have 0. */
const VERSION = [0x48, 0x54, 0x54, 0x50, 0x2f, 0, 0x2e, 0, CR, LF] as const

function scanVersion(buffer: Bytes, end: number, progress: Progress): Status {
  const start = progress.targetEnd + 1
  for (let at = progress.at; at < start + VERSION.length; at++) {
    if (at === end) return progress.pause(IN_VERSION, at)
    const want = VERSION[at - start]!
    const byte = buffer[at]!
    if (want === byte && want !== 0) continue
    if (want === 0 && (CLASS[byte]! & DIGIT) !== 0) continue
    return progress.fail(wrongByte(want, byte), at)
  }
  progress.at = start + VERSION.length
  return judge(buffer, progress)
}

/** More digits or the like behind the version: it is the version that is malformed. */
function wrongByte(want: number, byte: number) {
  const shape = want === LF || (want === CR && (byte === SP || byte === LF))
  return shape ? HTTP_ERRORS.REQUEST_LINE_MALFORMED : HTTP_ERRORS.VERSION_MALFORMED
}

function judge(buffer: Bytes, progress: Progress): Status {
  const digits = progress.targetEnd + 6
  if (buffer[digits] !== ZERO + 1) return progress.fail(HTTP_ERRORS.VERSION_UNSUPPORTED, digits)
  if (!progress.knownMethod) return progress.fail(HTTP_ERRORS.METHOD_UNKNOWN, progress.lineStart)
  const { form, method } = progress
  if ((form === AUTHORITY_FORM) !== (method === 'CONNECT') || (form === ASTERISK_FORM && method !== 'OPTIONS')) {
    return progress.fail(HTTP_ERRORS.TARGET_FORM, progress.targetStart)
  }
  progress.minorVersion = buffer[digits + 2] === ZERO ? 0 : 1
  progress.lineStart = progress.at
  progress.phase = IN_NAME
  return DONE
}
