/**
 * bytes → head | partial | error: a whole request head (RFC 9112 §2 to §6), or how far it was read, or why not.
 *
 * Errors are found in the order of the bytes; what only the whole head shows (framing, then Host) comes last. So the
 * answer is the same however the bytes are cut.
 */
import type { Bytes } from './bytes.ts'
import { HTTP_ERRORS, type HttpError } from './errors.ts'
import { scanFields } from './fields.ts'
import { type Framing, framingOf } from './framing.ts'
import { judgeField } from './known-fields.ts'
import { scanLine } from './line.ts'
import {
  ABSOLUTE_FORM,
  DONE,
  IN_NAME,
  MORE,
  OPTION_CLOSE,
  OPTION_KEEP_ALIVE,
  OPTION_UPGRADE,
  Progress,
} from './progress.ts'
import { rawHeaders } from './raw-headers.ts'
import type { Rules } from './rules.ts'
import { authorityOf } from './target.ts'

export type Head = {
  readonly kind: 'head'
  readonly method: string
  /** Verbatim. */
  readonly target: string
  /** 1.2 to 1.9 count as 1.1. */
  readonly minorVersion: 0 | 1
  /** Names in the client's spelling and values in turn, as in Node's `rawHeaders`. */
  readonly rawHeaders: string[]
  /** Of an absolute-form target: what takes the place of Host (RFC 9112 §3.2.2). Null for every other form. */
  readonly authority: string | null
  /** The offset behind the head. */
  readonly end: number
  /** What follows. For a CONNECT it says nothing about the tunnel (RFC 9110 §9.3.6). */
  readonly framing: Framing
  /** Whether the client lets the connection go on (RFC 9112 §9.3). */
  readonly keepAlive: boolean
  /** 1.1, an Upgrade field that names more than h2c, and the Connection option for it (RFC 9110 §7.8). */
  readonly upgrade: boolean
  /** Always `none` in 1.0 (RFC 9110 §10.1.1). */
  readonly expect: 'none' | 'continue' | 'other'
}

/** Not the whole head yet: pass `resume` with the same bytes and more, at any offset of any buffer. */
export type Partial = { readonly kind: 'partial'; readonly resume: Progress }

/** `at` is the offset of the byte that gave it away. */
export type Failure = { readonly kind: 'error'; readonly error: HttpError; readonly at: number }

const EXPECTATIONS = ['none', 'continue', 'other'] as const

let scratch = new Progress()

/** Reads the head that begins at `from`; bytes at `to` and behind are not there yet. */
export function parseHead(
  buffer: Buffer,
  from: number,
  to: number,
  rules: Rules,
  resume?: Progress,
): Head | Partial | Failure {
  const bytes = buffer as Bytes
  const progress = resume ?? scratch
  if (resume === undefined) progress.reset(from)
  else progress.rebase(from)
  const limit = from + rules.head
  const end = to < limit ? to : limit
  const inLine = progress.phase < IN_NAME
  let status = inLine ? scanLine(bytes, end, progress, rules) : DONE
  if (status === DONE) status = scanFields(bytes, end, progress, rules, judgeField)
  if (status === DONE) return finish(bytes, progress, rules)
  if (status === MORE) {
    if (end === limit)
      return failure(inLineNow(progress) ? HTTP_ERRORS.REQUEST_LINE_TOO_LONG : HTTP_ERRORS.HEAD_TOO_LARGE, end)
    if (progress === scratch) scratch = new Progress()
    return { kind: 'partial', resume: progress }
  }
  return failure(progress.error!, progress.at)
}

const failure = (error: HttpError, at: number): Failure => ({ kind: 'error', error, at })

const inLineNow = (progress: Progress): boolean => progress.phase > 0 && progress.phase < IN_NAME

function finish(buffer: Bytes, progress: Progress, rules: Rules): Head | Failure {
  const { at: end, minorVersion, options, targetStart, targetEnd } = progress
  const framing = framingOf(progress, rules)
  if ('code' in framing) return failure(framing, end)
  if (!progress.host && minorVersion === 1 && rules.requireHost) return failure(HTTP_ERRORS.HOST_MISSING, end)
  return {
    kind: 'head',
    method: progress.method,
    target: buffer.latin1Slice(targetStart, targetEnd),
    minorVersion,
    rawHeaders: rawHeaders(buffer, progress, rules),
    authority: progress.form === ABSOLUTE_FORM ? authorityOf(buffer, targetStart, targetEnd) : null,
    end,
    framing,
    keepAlive: (options & OPTION_CLOSE) === 0 && (minorVersion === 1 || (options & OPTION_KEEP_ALIVE) !== 0),
    upgrade: progress.upgrade && (options & OPTION_UPGRADE) !== 0 && minorVersion === 1,
    expect: minorVersion === 0 ? 'none' : EXPECTATIONS[progress.expect]!,
  }
}
