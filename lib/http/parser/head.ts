/**
 * bytes → head | partial | error: a whole request head (RFC 9112 §2 to §6), or how far it was read, or why not.
 *
 * Errors are found in the order of the bytes; what only the whole head shows (framing, then Host) comes last. So the
 * answer is the same however the bytes are cut.
 */
import { HTTP_ERRORS, type HttpError } from '../errors.ts'
import { scanFields } from './fields.ts'
import { type Framing, framingOf } from './framing.ts'
import { judgeField } from './known-fields.ts'
import { scanLine } from './line.ts'
import {
  ABSOLUTE_FORM,
  DONE,
  FAILED,
  IN_NAME,
  MORE,
  OPTION_CLOSE,
  OPTION_KEEP_ALIVE,
  OPTION_UPGRADE,
  Progress,
  START,
  type Status,
} from './progress.ts'
import type { Rules } from './rules.ts'
import { authorityOf } from './target.ts'
import { load, type Window } from './window.ts'

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

/** Not the whole head yet: give `resume` to `resumeHead` with the same bytes and more. */
export type Partial = { readonly kind: 'partial'; readonly resume: Progress }

/** `at` is the offset of the byte that gave it away. */
export type Failure = { readonly kind: 'error'; readonly error: HttpError; readonly at: number }

const EXPECTATIONS = ['none', 'continue', 'other'] as const

let scratch = new Progress()

/** What is copied at first: more than most heads have, and little of the body behind one. */
const FIRST_WINDOW = 4096

/** Reads the head that begins at `from`; bytes at `to` and behind are not there yet. */
export function parseHead(buffer: Buffer, from: number, to: number, rules: Rules): Head | Partial | Failure {
  const progress = scratch
  progress.reset()
  const length = to - from < rules.head ? to - from : rules.head
  let loaded = length < FIRST_WINDOW ? length : FIRST_WINDOW
  let status = scan(load(buffer, from, loaded), loaded, progress, rules)
  while (status === MORE && loaded < length) {
    loaded = Math.min(length, 4 * loaded)
    status = scan(load(buffer, from, loaded), loaded, progress, rules)
  }
  return resultOf(status, from, length, progress, rules)
}

/** Reads on where a head was partial: its first `length` bytes stand at the beginning of `window`. */
export function resumeHead(window: Window, length: number, rules: Rules, resume: Progress): Head | Partial | Failure {
  return resultOf(scan(window, Math.min(length, rules.head), resume, rules), 0, length, resume, rules)
}

function resultOf(status: Status, from: number, length: number, progress: Progress, rules: Rules) {
  if (status === DONE) return finish(from, progress, rules)
  if (status === FAILED) return failure(progress.error!, from + progress.at)
  if (length < rules.head) {
    if (progress === scratch) scratch = new Progress()
    return { kind: 'partial', resume: progress } satisfies Partial
  }
  const inLine = progress.phase !== START && progress.phase < IN_NAME
  return failure(inLine ? HTTP_ERRORS.REQUEST_LINE_TOO_LONG : HTTP_ERRORS.HEAD_TOO_LARGE, from + rules.head)
}

function scan(window: Window, end: number, progress: Progress, rules: Rules): Status {
  if (progress.phase < IN_NAME) {
    const status = scanLine(window, end, progress, rules)
    if (status !== DONE) return status
  }
  return scanFields(window, end, progress, rules, judgeField)
}

const failure = (error: HttpError, at: number): Failure => ({ kind: 'error', error, at })

function finish(from: number, progress: Progress, rules: Rules): Head | Failure {
  const { minorVersion, options } = progress
  const end = from + progress.at
  const framing = framingOf(progress, rules)
  if ('code' in framing) return failure(framing, end)
  if (!progress.host && minorVersion === 1 && rules.requireHost) return failure(HTTP_ERRORS.HOST_MISSING, end)
  return {
    kind: 'head',
    method: progress.method,
    target: progress.target,
    minorVersion,
    rawHeaders: progress.raw,
    authority: progress.form === ABSOLUTE_FORM ? authorityOf(progress.target) : null,
    end,
    framing,
    keepAlive: (options & OPTION_CLOSE) === 0 && (minorVersion === 1 || (options & OPTION_KEEP_ALIVE) !== 0),
    upgrade: progress.upgrade && (options & OPTION_UPGRADE) !== 0 && minorVersion === 1,
    expect: minorVersion === 0 ? 'none' : EXPECTATIONS[progress.expect]!,
  }
}
