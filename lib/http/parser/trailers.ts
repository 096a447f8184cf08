/** The trailer section behind the last chunk (RFC 9112 §7.1.2): fields as in a head, but for those that come too late. */
import { HTTP_ERRORS, type HttpError } from '../errors.ts'
import { scanFields } from './fields.ts'
import { judgeTrailer } from './known-fields.ts'
import { Pending } from './pending.ts'
import { DONE, IN_NAME, MORE, Progress } from './progress.ts'
import type { Rules } from './rules.ts'

/** `end` is the offset behind the section in the chunk read last. */
export type Trailers = { readonly trailers: readonly string[]; readonly end: number; readonly error: HttpError | null }

export class TrailerReader {
  private readonly rules: Rules
  private readonly pending = new Pending()
  private readonly progress = new Progress()

  constructor(rules: Rules) {
    this.rules = rules
    this.progress.phase = IN_NAME
  }

  /** Goes on with `chunk`; null when all was taken and the section is not complete. */
  read(chunk: Buffer, from: number, to: number): Trailers | null {
    const kept = this.pending.length
    // The section alone may be as large as a head.
    const taken = Math.min(to, from + this.rules.head - kept)
    this.pending.append(chunk, from, taken)
    const status = scanFields(this.pending.window, this.pending.length, this.progress, this.rules, judgeTrailer)
    const end = from + this.progress.at - kept
    if (status === DONE) return { trailers: this.progress.raw, end, error: null }
    if (status !== MORE) return { trailers: [], end, error: this.progress.error }
    if (this.pending.length < this.rules.head) return null
    return { trailers: [], end: taken, error: HTTP_ERRORS.HEAD_TOO_LARGE }
  }
}
