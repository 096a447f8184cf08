/** Where a body ends (RFC 9112 §6), from Content-Length and Transfer-Encoding, and nothing that leaves it in doubt. */

import { HTTP_ERRORS, type HttpError } from '../errors.ts'
import { trimBlanks, ZERO } from './bytes.ts'
import type { Progress } from './progress.ts'
import type { Rules } from './rules.ts'

/** What follows a head. `length` is in bytes and greater than 0. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }

const NONE: Framing = { kind: 'none' }
const CHUNKED: Framing = { kind: 'chunked' }

/** 1*DIGIT below 2^53; -1 for anything else (RFC 9110 §8.6). */
export function contentLength(value: string): number {
  if (value === '') return -1
  let length = 0
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - ZERO
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
    if (length > Number.MAX_SAFE_INTEGER) return -1
  }
  return length
}

/** The framing of a complete head, or what forbids it. */
export function framingOf(progress: Progress, rules: Rules): Framing | HttpError {
  const { codings, length } = progress
  if (codings === null) {
    if (length <= 0) return NONE
    return length > rules.body ? HTTP_ERRORS.BODY_TOO_LARGE : { kind: 'length', length }
  }
  if (length >= 0) return HTTP_ERRORS.TRANSFER_ENCODING_WITH_LENGTH
  if (progress.minorVersion === 0) return HTTP_ERRORS.TRANSFER_ENCODING_IN_1_0
  return transferCodingError(codings) ?? CHUNKED
}

/**
 * `chunked` and nothing else. An unknown coding before it is not implemented; any other list is wrong: its end could
 * not be found (RFC 9112 §6.3, case 4).
 */
function transferCodingError(codings: string): HttpError | null {
  const list = codings.split(',').map((coding) => trimBlanks(coding).toLowerCase())
  if (list.length === 1 && list[0] === 'chunked') return null
  const last = list.pop()
  if (last !== 'chunked' || list.includes('chunked')) return HTTP_ERRORS.TRANSFER_ENCODING_INVALID
  const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
  return list.every((coding) => token.test(coding))
    ? HTTP_ERRORS.TRANSFER_CODING_UNSUPPORTED
    : HTTP_ERRORS.TRANSFER_ENCODING_INVALID
}
