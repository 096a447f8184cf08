/** The PROXY protocol on a connection: its header is read before anything else, and the socket tells of the client. */
import { isIP } from 'node:net'
import { HTTP_ERRORS, type HttpError } from '../errors.ts'
import type { Trust } from './forwarded.ts'
import { type Endpoint, type ProxyMode, parseProxy } from './proxy-protocol.ts'

export type ProxyOptions = {
  readonly mode: ProxyMode
  /** Which peers may send the header; others are answered with 403. */
  readonly trusts: Trust
}

/** Reads one header, which may come in pieces. */
export class ProxyReader {
  /** The client, where the header names one. */
  client: Endpoint | null = null
  private readonly options: ProxyOptions
  private readonly peer: string | null
  private kept: Buffer = Buffer.alloc(0)

  /** `peer` is the address of who connected; null on a UNIX socket. */
  constructor(options: ProxyOptions, peer: string | null) {
    this.options = options
    this.peer = peer
  }

  get begun(): boolean {
    return this.kept.length > 0
  }

  /** What follows the header, once it is complete; null before; an error where there is no valid header. */
  read(chunk: Buffer): Buffer | HttpError | null {
    const bytes = this.kept.length === 0 ? chunk : Buffer.concat([this.kept, chunk])
    const result = parseProxy(bytes, 0, bytes.length, this.options.mode)
    if (result.kind === 'partial') {
      this.kept = Buffer.from(bytes)
      return null
    }
    if (result.kind === 'plain') return bytes
    if (result.kind === 'error') return result.error
    if (!this.options.trusts(this.peer)) return HTTP_ERRORS.PROXY_FORBIDDEN
    this.client = result.source
    return bytes.subarray(result.end)
  }
}

/** Only the client's end: where the connection came in stays true. */
export function showClient(socket: object, { address, port }: Endpoint): void {
  const show = (name: string, value: unknown) => Object.defineProperty(socket, name, { value, configurable: true })
  show('remoteAddress', address)
  show('remotePort', port)
  show('remoteFamily', isIP(address) === 6 ? 'IPv6' : 'IPv4')
}
