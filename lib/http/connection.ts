/**
 * One connection: bytes in, requests out in their order.
 *
 * `phase` says what the next bytes are:
 * - `proxy`: the PROXY protocol's header;
 * - `head`: a request's head, or nothing yet;
 * - `body`: the body of `incoming`;
 * - `handover`: no more HTTP; the socket goes to the app as soon as the responses before are sent;
 * - `over`: nothing that matters. The client said `Connection: close`, or an error ended the sequence; what still
 *   comes is thrown away, so that it cannot cost the client the response.
 *
 * Reading stops (`socket._paused`) while too much waits to be sent; what was read by then stands in `unread`.
 */
import { AsyncResource } from 'node:async_hooks'
import { TLSSocket } from 'node:tls'
import { takeBody } from './body.ts'
import { close } from './closing.ts'
import { beginRequest } from './exchange.ts'
import { type BrokenResponse, fail, failureIsDue, type PendingFailure, sendFailure } from './failure.ts'
import { hearStream } from './listeners.ts'
import { CONNECTION, type Incoming, type Outgoing, type ResponseOptions, type ServerSocket } from './node.ts'
import type { ChunkedDecoder } from './parser/chunked.ts'
import { HeadReader } from './parser/reader.ts'
import { ProxyReader, showClient } from './proxy/proxied.ts'
import type { Service } from './service.ts'
import { readsDirectly } from './socket.ts'
import { deadline } from './timeouts.ts'
import { type Bytes, beginBatch, type Write, writeBatch } from './together.ts'
import { flushWaiting } from './turns.ts'
import { beginHandover, finishHandover, type Handover } from './upgrade.ts'

/** A keep-alive timeout that need not be exact to the second (milliseconds). */
const LONG_TIMEOUT = 5000

/** Requests of one connection that are answered at once; more are read when the first of them are done. */
const MOST_PIPELINED = 128

export class Connection {
  readonly service: Service
  readonly socket: ServerSocket
  readonly head: HeadReader
  readonly responseOptions: ResponseOptions
  /** What was going on when the server began to listen, as under Node: requests inherit it. */
  readonly context = new AsyncResource('HTTPCONNECTION', { requireManualDestroy: true })
  /** Of the socket, before and after it is ours. */
  readonly allowHalfOpen: boolean
  phase: 'proxy' | 'head' | 'body' | 'handover' | 'over' = 'head'
  /** The socket hands its bytes to `receive` itself. */
  direct: boolean

  /** The request whose body is being received, the context it runs in, and what is left of it. */
  incoming: Incoming | null = null
  scope: AsyncResource | null = null
  remaining = 0
  decoder: ChunkedDecoder | null = null
  /** The app does not take the body as fast as it comes. */
  stalled = false
  /** No request is read after the one being read: its client, or we, said so. */
  lastRequest = false

  /** The response that has the socket, and those whose turn comes after it. */
  response: Outgoing | null = null
  readonly waiting: Outgoing[] = []
  /** Responses before it that are ended and on their way to the kernel. */
  readonly sending: Outgoing[] = []
  /** While several requests of one read are answered, the first write waits for the others. */
  batch: { first: Write | null } | null = null
  /** What leaves at the end of the turn; of what it was it is said to be written. */
  held: Bytes | null = null
  /** It is on its way to the kernel, and what is to be written then. */
  flushing = false
  behind: Write | null = null
  /** Bytes that wait in `waiting`. */
  queued = 0
  /** Requests counted against `maxRequestsPerSocket`. */
  served = 0
  failure: PendingFailure | null = null
  /** The response in `waiting` whose request has failed although it had begun. */
  broken: BrokenResponse | null = null
  handover: Handover | null = null

  readonly connected: number
  /**
   * Since when the message that is being received is on its way, the first since `connected` while nothing has come;
   * 0 between messages.
   */
  started: number
  /** Since when the connection waits for its next request; 0 while it does not. */
  idleSince = 0
  /** When the socket is destroyed whatever happens; 0: not decided. */
  endAt = 0
  /** When the client that has half-closed is looked for (0: not), and how long ago that was decided. */
  lookAt = 0
  lookWait = 0
  lastLook = false
  timeoutSuspended = false
  /** `socket.bytesWritten` when the response before was done; kept only for `onResponse`. */
  written = 0

  /** Where `parse` has come to in its bytes. */
  at = 0
  private proxyReader: ProxyReader | null = null
  private unread: Buffer | null = null
  private resuming = false

  constructor(service: Service, socket: ServerSocket) {
    this.service = service
    this.socket = socket
    this.allowHalfOpen = socket.allowHalfOpen
    this.head = new HeadReader(service.rules)
    this.responseOptions = {
      highWaterMark: socket.writableHighWaterMark,
      rejectNonStandardBodyWrites: service.server.rejectNonStandardBodyWrites,
    }
    this.direct = readsDirectly(socket)
    this.connected = service.now()
    this.started = this.connected
    const { proxy } = service.options
    if (proxy !== undefined && !(socket instanceof TLSSocket)) {
      this.phase = 'proxy'
      this.proxyReader = new ProxyReader(proxy, socket.remoteAddress ?? null)
    }
    socket[CONNECTION] = this
    socket._paused = false
  }

  /** Between requests or before the first, with nothing read of the next. */
  get isIdle(): boolean {
    if (this.response !== null || this.unread !== null) return false
    return this.phase === 'head' ? !this.head.begun : this.phase === 'proxy' && !this.proxyReader!.begun
  }

  /** Something was read of a request, or of what comes before the first, and not all. */
  get isInside(): boolean {
    return this.phase === 'body' || this.head.begun || this.proxyReader?.begun === true
  }

  /** As `receive`, for a socket that reads directly: libuv calls it in no context. */
  received(bytes: Buffer, length: number): true {
    return this.context.runInAsyncScope(this.receive, this, bytes, 0, length)
  }

  /** The socket has read. True: go on reading. */
  receive(bytes: Buffer, from: number, to: number): true {
    if (this.unread !== null) this.unread = Buffer.concat([this.unread, bytes.subarray(from, to)])
    else if (this.phase === 'proxy') this.readProxyHeader(bytes.subarray(from, to))
    else this.parse(bytes, from, to)
    return true
  }

  /** Hands the bytes to the app's listeners too: they come through the stream from now on. */
  listenToStream(): void {
    if (!this.direct) return
    this.direct = false
    hearStream(this)
  }

  private parse(bytes: Buffer, from: number, to: number): void {
    this.at = from
    try {
      while (this.at < to) this.step(bytes, from, to)
    } finally {
      if (this.batch !== null) writeBatch(this)
      // A listener has thrown: what it did not let us read is read later.
      if (this.at < to) {
        this.keep(bytes, to)
        this.continueLater()
      }
    }
    if (this.handover !== null && this.response === null) finishHandover(this)
    if ((this.started === 0 || this.started === this.connected) && (this.phase === 'body' || this.head.begun)) {
      this.started = this.service.now()
      this.service.sweep.arm(deadline(this))
    }
  }

  private step(bytes: Buffer, from: number, to: number): void {
    switch (this.phase) {
      case 'body':
        takeBody(this, bytes, from, to)
        return
      case 'over':
        this.at = to
        return
      case 'handover':
        this.keep(bytes, to)
        return
    }
    if (this.isFull()) {
      this.keep(bytes, to)
      this.pause()
      return
    }
    const head = this.head.read(bytes, this.at, to)
    if (head === null) {
      this.at = to
    } else if (head.kind === 'error') {
      this.at = to
      fail(this, head.error, bytes.subarray(from, to), head.at - from)
    } else {
      this.at = head.end
      if (this.at < to && this.direct && this.batch === null && head.framing.kind === 'none') beginBatch(this)
      const { refuse } = this.service.options
      const refusal = refuse === undefined ? null : refuse(head.rawHeaders, this.socket)
      if (refusal !== null) {
        fail(this, refusal, bytes.subarray(from, to), head.end - from)
        return
      }
      if (head.upgrade || head.method === 'CONNECT') beginHandover(this, head)
      else beginRequest(this, head)
    }
  }

  /** What follows may be longer than the chunk: what looked like a header's beginning was a request's. */
  private readProxyHeader(chunk: Buffer): void {
    const rest = this.proxyReader!.read(chunk)
    if (rest === null) return
    const { client } = this.proxyReader!
    this.proxyReader = null
    this.phase = 'head'
    if (!Buffer.isBuffer(rest)) {
      fail(this, rest, chunk, 0)
      return
    }
    if (client !== null) showClient(this.socket, client)
    this.parse(rest, 0, rest.length)
  }

  /** A response has left. */
  sent(response: Outgoing): void {
    if (response === this.response) {
      this.response = null
      this.advance(response._last)
    } else {
      this.sending.shift()
    }
  }

  /**
   * What comes when the response that had the socket is sent; `last`: it was said to be the last. What others hear of
   * then is told in the connection's context, not in that of this response.
   */
  private advance(last: boolean): void {
    const { context } = this
    if (last) {
      close(this)
    } else if (this.waiting.length > 0) {
      context.runInAsyncScope(flushWaiting, undefined, this)
      this.unpause()
    } else if (failureIsDue(this)) {
      context.runInAsyncScope(sendFailure, undefined, this)
    } else if (this.handover !== null) {
      context.runInAsyncScope(finishHandover, undefined, this)
    } else if (this.phase === 'over') {
      close(this)
    } else {
      this.rest()
    }
  }

  /** Keeps what was read and not parsed; `at` goes to the end. */
  keep(bytes: Buffer, to: number): void {
    this.unread = Buffer.from(bytes.subarray(this.at, to))
    this.at = to
  }

  /** What was read and not parsed, given away. */
  takeUnread(): Buffer {
    const unread = this.unread ?? Buffer.alloc(0)
    this.unread = null
    return unread
  }

  /** Too much waits to be sent: Node stops reading then, too. */
  private isFull(): boolean {
    if (this.response === null) return false
    const { socket } = this
    return (
      this.waiting.length >= MOST_PIPELINED || socket.writableNeedDrain || this.queued >= socket.writableHighWaterMark
    )
  }

  /** Reads no more until `unpause`. */
  pause(): void {
    this.socket._paused = true
    this.socket.pause()
  }

  /** Nothing is in flight. */
  rest(): void {
    const { service } = this
    const timeout = service.keepAliveTimeout
    if (timeout >= LONG_TIMEOUT && !service.draining) {
      this.idleSince = service.sweep.soon
    } else {
      this.idleSince = service.now()
      service.sweep.arm(deadline(this))
    }
    if (this.socket.timeout && timeout > 0) this.suspendTimeout()
    this.unpause()
  }

  /** Between requests the keep-alive timeout counts, and no timeout that the app has set for a request. */
  private suspendTimeout(): void {
    this.socket.setTimeout(0)
    this.timeoutSuspended = true
  }

  /** A request has come: the server's own timeout counts again. */
  restoreTimeout(): void {
    this.timeoutSuspended = false
    this.socket.setTimeout(this.service.server.timeout || 0)
  }

  /** Reads no request after the one being received or answered. */
  endAfterThis(): void {
    this.lastRequest = true
    if (this.phase === 'head') this.phase = 'over'
  }

  /** Destroys the socket after so many milliseconds, whatever happens. */
  endWithin(milliseconds: number): void {
    this.endAt = this.service.now() + milliseconds
    this.service.sweep.armAlive(deadline(this))
  }

  /** Something was sent: reads on where it was stopped. */
  unpause(): void {
    if (this.socket._paused && !this.isFull()) this.continueLater()
  }

  /** In the connection's own context, not in that of the request that made room. */
  private continueLater(): void {
    if (this.resuming) return
    this.resuming = true
    this.context.runInAsyncScope(() => setImmediate(() => this.goOn()))
  }

  private goOn(): void {
    this.resuming = false
    const { socket } = this
    if (socket.destroyed || this.phase === 'handover') return
    socket._paused = false
    this.stalled = false
    const unread = this.takeUnread()
    this.parse(unread, 0, unread.length)
    const isOurs = socket[CONNECTION] === this
    if (isOurs && !socket._paused && !this.stalled) socket.resume()
  }
}
