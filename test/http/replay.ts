/** Runs bytes through the pure part of the engine as a connection would, cut into chunks, and writes down what came. */

import { HTTP_ERRORS, type HttpError } from '../../lib/http/errors.ts'
import { DEFAULT_LIMITS, type Limits } from '../../lib/http/limits.ts'
import { ChunkedDecoder } from '../../lib/http/parser/chunked.ts'
import type { Head } from '../../lib/http/parser/head.ts'
import { HeadReader } from '../../lib/http/parser/reader.ts'
import { type RuleOptions, rulesOf } from '../../lib/http/parser/rules.ts'
import { schemeReader } from '../../lib/http/proxy/forwarded.ts'
import { type Endpoint, type ProxyMode, parseProxy } from '../../lib/http/proxy/proxy-protocol.ts'

export type ReplayOptions = Omit<RuleOptions, 'limits'> &
  Partial<Limits> & {
    readonly proxyProtocol?: ProxyMode
    /** Whether the app listens for 'upgrade' and 'connect', as it does unless this says no. */
    readonly tunnels?: boolean
    readonly secureSchemeHeaders?: Readonly<Record<string, string>>
  }

export type ReplayedRequest = {
  readonly method: string
  readonly target: string
  readonly minorVersion: 0 | 1
  readonly rawHeaders: readonly string[]
  readonly authority: string | null
  readonly framing: Head['framing']
  readonly keepAlive: boolean
  readonly upgrade: boolean
  readonly expect: Head['expect']
  readonly scheme: string | null
  /** latin1. */
  body: string
  trailers: readonly string[]
  complete: boolean
}

export type Replayed = {
  readonly requests: readonly ReplayedRequest[]
  /** The code of the error that ended it, or null where the bytes ended between two requests. */
  readonly error: string | null
  readonly proxy: { readonly source: Endpoint | null; readonly destination: Endpoint | null } | null
  /** What stands behind a request that made a tunnel, in latin1; null where none did. */
  readonly tunnel: string | null
}

/** Whether it ends HTTP on its connection. An upgrade with a body is served as any other request. */
const opensTunnel = ({ method, upgrade, framing }: Pick<Head, 'method' | 'upgrade' | 'framing'>): boolean =>
  method === 'CONNECT' || (upgrade && framing.kind === 'none')

/** Feeds the chunks between the cuts (ascending offsets), each in a buffer of its own with other bytes around it. */
export function replay(bytes: Buffer, options: ReplayOptions, cuts: readonly number[] = []): Replayed {
  const connection = new Replay(options)
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    const framed = Buffer.concat([BEFORE, bytes.subarray(from, to), AFTER])
    connection.feed(framed, BEFORE.length, framed.length - AFTER.length)
    from = to
  }
  return connection.finish()
}

/** What a scanner would see that looked too far; the second would complete almost anything. */
const BEFORE = Buffer.from('\x00\r\n')
const AFTER = Buffer.from('\r\n\r\n0\r\n\r\n')

class Replay {
  private readonly options: ReplayOptions
  private readonly rules
  private readonly heads: HeadReader
  private readonly scheme
  private readonly requests: ReplayedRequest[] = []
  private proxied: Buffer | null
  private proxy: Replayed['proxy'] = null
  private decoder: ChunkedDecoder | null = null
  private left = 0
  private error: string | null = null
  private tunnel: string | null = null
  private over = false

  constructor(options: ReplayOptions) {
    this.options = options
    this.rules = rulesOf({ ...options, limits: { ...DEFAULT_LIMITS, ...options } })
    this.heads = new HeadReader(this.rules)
    this.scheme = schemeReader(options.secureSchemeHeaders ?? {})
    this.proxied = options.proxyProtocol === undefined ? null : Buffer.alloc(0)
  }

  feed(chunk: Buffer, from: number, to: number): void {
    if (this.proxied !== null) {
      this.readProxy(Buffer.concat([this.proxied, chunk.subarray(from, to)]))
      return
    }
    let at = from
    while (!this.over && at < to) {
      if (this.decoder !== null) at = this.chunked(this.decoder, chunk, at, to)
      else if (this.left > 0) at = this.counted(chunk, at, to)
      else at = this.head(chunk, at, to)
    }
    if (this.tunnel !== null) this.tunnel += chunk.toString('latin1', at, to)
  }

  finish(): Replayed {
    if (!this.over) {
      const incomplete = this.left > 0 || this.decoder !== null || this.heads.finish() !== null || this.proxied?.length
      if (incomplete)
        this.error = this.decoder?.finish()?.code ?? this.heads.finish()?.error.code ?? 'REQUEST_INCOMPLETE'
    }
    return { requests: this.requests, error: this.error, proxy: this.proxy, tunnel: this.tunnel }
  }

  private readProxy(bytes: Buffer): void {
    const result = parseProxy(bytes, 0, bytes.length, this.options.proxyProtocol!)
    this.proxied = result.kind === 'partial' ? bytes : null
    if (result.kind === 'error') this.fail(result.error)
    else if (result.kind === 'plain') this.feed(bytes, 0, bytes.length)
    else if (result.kind === 'proxied') {
      this.proxy = { source: result.source, destination: result.destination }
      this.feed(bytes, result.end, bytes.length)
    }
  }

  private head(chunk: Buffer, from: number, to: number): number {
    const result = this.heads.read(chunk, from, to)
    if (result === null) return to
    if (result.kind === 'error') return this.fail(result.error)
    const { kind: _kind, end, ...head } = result
    const scheme = this.scheme(result.rawHeaders)
    if (scheme !== null && typeof scheme === 'object') return this.fail(scheme)
    if (result.method === 'CONNECT' && this.options.tunnels === false) return this.fail(HTTP_ERRORS.CONNECT_UNSUPPORTED)
    const complete = result.framing.kind === 'none'
    this.requests.push({ ...head, scheme, body: '', trailers: [], complete })
    if (result.framing.kind === 'length') this.left = result.framing.length
    if (result.framing.kind === 'chunked') this.decoder = new ChunkedDecoder(this.rules)
    if (complete || result.method === 'CONNECT') this.completed()
    return end
  }

  private counted(chunk: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + this.left)
    this.requests.at(-1)!.body += chunk.toString('latin1', from, end)
    this.left -= end - from
    if (this.left === 0) this.completed()
    return end
  }

  private chunked(decoder: ChunkedDecoder, chunk: Buffer, from: number, to: number): number {
    const request = this.requests.at(-1)!
    const event = decoder.read(chunk, from, to)
    if (event === 'data') request.body += chunk.toString('latin1', decoder.start, decoder.end)
    if (event === 'error') return this.fail(decoder.error!)
    if (event === 'done') {
      request.trailers = decoder.trailers
      this.decoder = null
      this.completed()
    }
    return decoder.at
  }

  /** Bytes behind a request that closes, or that becomes a tunnel, are not requests. */
  private completed(): void {
    const request = this.requests.at(-1)!
    request.complete = true
    const tunnels = this.options.tunnels !== false && opensTunnel(request)
    if (tunnels) this.tunnel = ''
    this.over = tunnels || !request.keepAlive
  }

  private fail(error: HttpError): number {
    this.error = error.code
    this.over = true
    return Number.MAX_SAFE_INTEGER
  }
}
