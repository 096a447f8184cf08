/**
 * How far a head (or trailer section) has been read: what is behind need never be looked at again, so that a client
 * that sends byte by byte costs no more than one that sends all at once.
 */
import type { HttpError } from '../errors.ts'
import { type FieldName, ORDINARY } from './names.ts'

/** The end of the bytes was reached: come again with more. */
export const MORE = 0
/** The part is complete; `at` stands behind it. */
export const DONE = 1
/** `error` says why, `at` where. */
export const FAILED = 2
export type Status = typeof MORE | typeof DONE | typeof FAILED

/** Before the request line: empty lines may stand here (RFC 9112 §2.2). */
export const START = 0
export const IN_METHOD = 1
export const IN_TARGET = 2
export const IN_VERSION = 3
export const IN_NAME = 4
export const IN_VALUE = 5

/** Connection options, as bits. */
export const OPTION_CLOSE = 1
export const OPTION_KEEP_ALIVE = 2
export const OPTION_UPGRADE = 4

export const ORIGIN_FORM = 0
export const ABSOLUTE_FORM = 1
export const AUTHORITY_FORM = 2
export const ASTERISK_FORM = 3

const NO_NAME: FieldName = { text: '', kind: ORDINARY, slot: 0 }

/** All positions are offsets from where the head begins. */
export class Progress {
  /** The next byte to look at. */
  at = 0
  phase = START
  error: HttpError | null = null

  /** Where the current line begins; while a folded field is read, its first line. */
  lineStart = 0
  /** Where the line before it began. */
  fieldStart = 0
  method = ''
  knownMethod = true
  target = ''
  targetStart = 0
  targetEnd = 0
  form = ORIGIN_FORM
  minorVersion: 0 | 1 = 1

  /** Fields read so far. */
  count = 0
  /** Their names and values in turn. */
  raw: string[] = []
  /** The current field, and where its value begins with the white space before it. */
  name: FieldName = NO_NAME
  valueStart = 0
  /** The slot of the name before it. */
  before = 0
  /** The value of the field read last, as far as its lines have come, and the folds behind the last text in it. */
  value = ''
  folds = 0

  host = false
  contentType = false
  /** Content-Length, or -1. */
  length = -1
  /** The Transfer-Encoding fields joined with commas. */
  codings: string | null = null
  options = 0
  /** An Upgrade field names something other than h2c. */
  upgrade = false
  /** 0: none, 1: 100-continue, 2: anything else. */
  expect = 0

  /** Begins a new head. */
  reset(): void {
    this.at = 0
    this.phase = START
    this.error = null
    this.knownMethod = true
    this.form = ORIGIN_FORM
    this.count = 0
    this.raw = []
    this.name = NO_NAME
    this.folds = 0
    this.host = false
    this.contentType = false
    this.length = -1
    this.codings = null
    this.options = 0
    this.upgrade = false
    this.expect = 0
  }

  fail(error: HttpError, at: number): typeof FAILED {
    this.error = error
    this.at = at
    return FAILED
  }

  /** Remembers where to go on. */
  pause(phase: number, at: number): typeof MORE {
    this.phase = phase
    this.at = at
    return MORE
  }
}
