/** Heads out of chunks: `parseHead` in the chunk itself where the whole head is there, put together where not. */
import { HTTP_ERRORS } from '../errors.ts'
import { type Failure, type Head, parseHead, resumeHead } from './head.ts'
import { Pending } from './pending.ts'
import { type Progress, START } from './progress.ts'
import type { Rules } from './rules.ts'

/** A head that has begun to come: its bytes, and how far they were read. */
type Begun = { readonly pending: Pending; readonly progress: Progress }

export class HeadReader {
  readonly rules: Rules
  private part: Begun | null = null

  constructor(rules: Rules) {
    this.rules = rules
  }

  /** Whether a part of a request line or more has come; the empty lines before one are nothing yet. */
  get begun(): boolean {
    return this.part !== null && this.part.progress.phase !== START
  }

  /**
   * Goes on with `chunk` from `from` to `to`. The `end` of a head is an offset in this chunk; what lies behind it has
   * not been touched. Null when all was taken and the head is not complete. An error is final.
   */
  read(chunk: Buffer, from: number, to: number): Head | Failure | null {
    if (this.part !== null) return this.goOn(this.part, chunk, from, to)
    const result = parseHead(chunk, from, to, this.rules)
    if (result.kind !== 'partial') return result
    this.part = { pending: new Pending(), progress: result.resume }
    this.part.pending.append(chunk, from, to)
    return null
  }

  private goOn({ pending, progress }: Begun, chunk: Buffer, from: number, to: number): Head | Failure | null {
    const kept = pending.length
    // No more than a head may have: the rest of a large chunk is body.
    pending.append(chunk, from, Math.min(to, from + this.rules.head - kept))
    const result = resumeHead(pending.window, pending.length, this.rules, progress)
    if (result.kind === 'partial') return null
    this.part = null
    const shift = from - kept
    return result.kind === 'head' ? { ...result, end: result.end + shift } : { ...result, at: result.at + shift }
  }

  /** The client has closed: an error where that was inside a request. */
  finish(): Failure | null {
    return this.begun ? { kind: 'error', error: HTTP_ERRORS.REQUEST_INCOMPLETE, at: 0 } : null
  }
}
