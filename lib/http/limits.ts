/** How much of a request is accepted, and the switches that permit more than RFC 9112 does. */

/** Zero means: no limit of its own (the head's limit still holds). Sizes are bytes. */
export type Limits = {
  /** The request line without its CRLF; more is 414. */
  readonly limitRequestLine: number
  /** Header fields of a request, and as many trailers; more is 431. */
  readonly limitRequestFields: number
  /** One field with its name, folds and CRLF; more is 431. */
  readonly limitRequestFieldSize: number
  /** The whole head, with the empty lines before it and the CRLF after it; more is 431. Never unlimited. */
  readonly limitRequestHead: number
  /** The decoded body; more is 413. */
  readonly limitRequestBody: number
}

export const DEFAULT_LIMITS: Limits = {
  limitRequestLine: 16384,
  limitRequestFields: 100,
  limitRequestFieldSize: 16384,
  limitRequestHead: 65536,
  limitRequestBody: 0,
}

/** All chunk extensions of one message together, as Node limits them; more is 400. */
export const CHUNK_EXTENSIONS_LIMIT = 16384

/**
 * The limits that hold for a server: those that were set; the defaults raised to the app's own larger `maxHeaderSize`
 * (or Node's `--max-http-header-size`, whichever the caller passes) where they were not.
 */
export function limitsFor(set: Partial<Limits>, maxHeaderSize = 0): Limits {
  const raised = (name: 'limitRequestLine' | 'limitRequestFieldSize' | 'limitRequestHead') =>
    set[name] ?? Math.max(DEFAULT_LIMITS[name], maxHeaderSize)
  return {
    limitRequestLine: raised('limitRequestLine'),
    limitRequestFields: set.limitRequestFields ?? DEFAULT_LIMITS.limitRequestFields,
    limitRequestFieldSize: raised('limitRequestFieldSize'),
    limitRequestHead: raised('limitRequestHead') || DEFAULT_LIMITS.limitRequestHead,
    limitRequestBody: set.limitRequestBody ?? DEFAULT_LIMITS.limitRequestBody,
  }
}
