/** What a case of our own looks like. */
import type { HttpErrorCode } from '../../../lib/http/errors.ts'
import type { ReplayedRequest, ReplayOptions } from '../replay.ts'

export type OwnCase = {
  /** A sentence. */
  readonly title: string
  /** The bytes as latin1. */
  readonly raw: string
  readonly options?: ReplayOptions
  /** What each request is expected to be, as far as it is named. */
  readonly requests?: readonly Partial<ReplayedRequest>[]
  /** What ends it; without it nothing does. */
  readonly error?: HttpErrorCode
  readonly proxy?: string | null
}

/** A GET whose only fields are Host and what is given, each with its CRLF. */
export const get = (fields = '', line = 'GET / HTTP/1.1'): string => `${line}\r\nHost: a\r\n${fields}\r\n`

/** A POST in chunks. */
export const chunked = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`
