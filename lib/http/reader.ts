/** Heads out of chunks: `parseHead` in the chunk itself where the whole head is there, put together where not. */
import { HTTP_ERRORS } from './errors.ts'
import { type Failure, type Head, parseHead } from './head.ts'
import { Pending } from './pending.ts'
import { type Progress, START } from './progress.ts'
import type { Rules } from './rules.ts'

export class HeadReader {
  readonly rules: Rules
  private readonly pending = new Pending()
  private resume: Progress | undefined = undefined

  constructor(rules: Rules) {
    this.rules = rules
  }

  /** Whether a part of a request line or more has come; the empty lines before one are nothing yet. */
  get begun(): boolean {
    return this.resume !== undefined && this.resume.phase !== START
  }

  /**
   * Goes on with `chunk`, whose bytes before `to` that are no part of a head are not touched: `end` of a head is an
   * offset in this chunk. Null when all was taken and the head is not complete. An error is final.
   */
  read(chunk: Buffer, from: number, to: number): Head | Failure | null {
    const kept = this.pending.length
    if (kept === 0) {
      const result = parseHead(chunk, from, to, this.rules)
      if (result.kind !== 'partial') return result
      if (from < to) this.pending.append(chunk, from, to)
      this.resume = result.resume
      return null
    }
    // No more than a head may have: the rest of a large chunk is body.
    const taken = Math.min(to, from + this.rules.head - kept)
    this.pending.append(chunk, from, taken)
    const result = parseHead(this.pending.buffer, 0, this.pending.length, this.rules, this.resume)
    if (result.kind === 'partial') return null
    this.pending.clear()
    this.resume = undefined
    return result.kind === 'head'
      ? { ...result, end: from + result.end - kept }
      : { ...result, at: from + result.at - kept }
  }

  /** The client has closed: an error where that was inside a request. */
  finish(): Failure | null {
    return this.begun ? { kind: 'error', error: HTTP_ERRORS.REQUEST_INCOMPLETE, at: 0 } : null
  }
}
