/**
 * The chunked coding (RFC 9112 §7.1), incrementally and without copying the data.
 *
 * A decoder is asked again and again with the same chunk of bytes and the offset that it has come to:
 *
 *     for (let at = from; ; at = decoder.at) {
 *       const event = decoder.read(chunk, at, to)
 *       if (event === 'data') push(chunk.subarray(decoder.start, decoder.end))
 *       else break  // 'more': all was taken · 'done': decoder.trailers, next request at decoder.at · 'error'
 *     }
 */

import { HTTP_ERRORS, type HttpError } from '../errors.ts'
import { CHUNK_EXTENSIONS_LIMIT } from '../limits.ts'
import { CLASS, CR, HEX, hexValue, LF, SEMICOLON } from './bytes.ts'
import { BEFORE_NAME, EXTENSIONS_END, EXTENSIONS_WRONG, stepExtension } from './extensions.ts'
import type { Rules } from './rules.ts'
import { TrailerReader } from './trailers.ts'

export type ChunkedEvent = 'data' | 'more' | 'done' | 'error'

const SIZE = 0
const EXTENSION = 1
const SIZE_LF = 2
const DATA = 3
const DATA_CR = 4
const DATA_LF = 5
const TRAILERS = 6
const END = 7

/** Leading zeros included: 2^53 has fourteen digits. */
const MOST_DIGITS = 16

const NO_TRAILERS: readonly string[] = []

export class ChunkedDecoder {
  /** How far the last call has come. */
  at = 0
  /** The slice of the body that the last `data` is about. */
  start = 0
  end = 0
  /** Names and values in turn, once `done`. */
  trailers: readonly string[] = NO_TRAILERS
  error: HttpError | null = null

  private readonly rules: Rules
  private phase = SIZE
  private digits = 0
  /** Of the current chunk, and what is left of it. */
  private size = 0
  private extension = BEFORE_NAME
  private extensionBytes = 0
  private bodyBytes = 0
  private trailerReader: TrailerReader | null = null

  constructor(rules: Rules) {
    this.rules = rules
  }

  /** The next event in `chunk` from `from` on. After `done` and `error` there is none. */
  read(chunk: Buffer, from: number, to: number): ChunkedEvent {
    this.at = from
    while (this.at < to) {
      if (this.phase === DATA) return this.data(to)
      if (this.phase === TRAILERS) return this.readTrailers(chunk, to)
      if (this.phase === END) return this.error === null ? 'done' : 'error'
      const error = this.step(chunk[this.at]!)
      if (error !== null) return this.fail(error)
      this.at++
    }
    return 'more'
  }

  /** The client has closed: an error, unless the body was complete. */
  finish(): HttpError | null {
    return this.phase === END ? this.error : HTTP_ERRORS.REQUEST_INCOMPLETE
  }

  private data(to: number): 'data' {
    this.start = this.at
    this.end = Math.min(to, this.at + this.size)
    this.size -= this.end - this.start
    this.at = this.end
    if (this.size === 0) this.phase = DATA_CR
    return 'data'
  }

  /** Everything that is neither data nor trailers, a byte at a time. */
  private step(byte: number): HttpError | null {
    switch (this.phase) {
      case SIZE:
        return this.sizeByte(byte)
      case EXTENSION:
        return this.extensionByte(byte)
      case SIZE_LF:
        return byte === LF ? this.sizeDone() : HTTP_ERRORS.BARE_CR
      case DATA_CR:
        if (byte !== CR) return HTTP_ERRORS.CHUNK_TERMINATOR_MISSING
        this.phase = DATA_LF
        return null
      default:
        if (byte !== LF) return HTTP_ERRORS.CHUNK_TERMINATOR_MISSING
        this.phase = SIZE
        return null
    }
  }

  private sizeByte(byte: number): HttpError | null {
    if ((CLASS[byte]! & HEX) !== 0) {
      this.size = this.size * 16 + hexValue(byte)
      const tooMuch = ++this.digits > MOST_DIGITS || this.size > Number.MAX_SAFE_INTEGER
      return tooMuch ? HTTP_ERRORS.CHUNK_SIZE_INVALID : null
    }
    if (byte === LF && this.digits > 0) return HTTP_ERRORS.BARE_LF
    if (this.digits === 0 || (byte !== CR && byte !== SEMICOLON)) return HTTP_ERRORS.CHUNK_SIZE_INVALID
    this.phase = byte === CR ? SIZE_LF : EXTENSION
    this.extension = BEFORE_NAME
    return null
  }

  private extensionByte(byte: number): HttpError | null {
    if (++this.extensionBytes > CHUNK_EXTENSIONS_LIMIT) return HTTP_ERRORS.CHUNK_EXTENSIONS_TOO_LARGE
    this.extension = stepExtension(this.extension, byte)
    if (this.extension === EXTENSIONS_WRONG) return HTTP_ERRORS.CHUNK_EXTENSION_INVALID
    if (this.extension === EXTENSIONS_END) this.phase = SIZE_LF
    return null
  }

  private sizeDone(): HttpError | null {
    this.digits = 0
    this.phase = this.size === 0 ? TRAILERS : DATA
    this.bodyBytes += this.size
    return this.bodyBytes > this.rules.body ? HTTP_ERRORS.BODY_TOO_LARGE : null
  }

  private readTrailers(chunk: Buffer, to: number): 'more' | 'done' | 'error' {
    if (this.trailerReader === null && chunk[this.at] === CR && this.at + 1 < to && chunk[this.at + 1] === LF) {
      this.at += 2
      this.phase = END
      return 'done'
    }
    this.trailerReader ??= new TrailerReader(this.rules)
    const result = this.trailerReader.read(chunk, this.at, to)
    if (result === null) {
      this.at = to
      return 'more'
    }
    this.at = result.end
    if (result.error !== null) return this.fail(result.error)
    this.trailers = result.trailers
    this.phase = END
    return 'done'
  }

  private fail(error: HttpError): 'error' {
    this.error = error
    this.phase = END
    return 'error'
  }
}
