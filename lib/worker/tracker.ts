/**
 * A server that keeps Node's own protocol code (http2, with the HTTP/1.1 beside it) or speaks a protocol of its own: what
 * it is doing, and how to drain it. It looks at `server.emit`, because a listener for `upgrade` or `checkContinue`
 * would change what Node does.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Http2Session, ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import tls from 'node:tls'
import { afterClose } from '../http/after-close.ts'
import type { DrainOptions, EngineOptions } from '../http/engine.ts'
import { type Ms, ms } from '../units.ts'
import type { Family } from './listen/listen.ts'
import type { Counts } from './responses/counts.ts'
import type { Responded, Served } from './serve.ts'

type Emit = (event: string | symbol, ...args: unknown[]) => boolean

export const track = (
  server: Server,
  family: Family,
  responded: Responded,
  onRequest?: EngineOptions['onRequest'],
): Served => {
  const tracker = new Tracker(server, family, responded)
  const arrival = server instanceof tls.Server ? 'secureConnection' : 'connection'
  const emit = server.emit as Emit
  const begun = new WeakSet<object>()
  server.emit = function (this: Server, event: string | symbol, ...args: unknown[]) {
    if (event === arrival) tracker.connected(args[0] as Socket)
    else if (family === 'net') return Reflect.apply(emit, this, [event, ...args])
    else if (event === 'request' || event === 'checkContinue' || event === 'checkExpectation') {
      const [request, response] = args as [IncomingMessage, ServerResponse]
      // A `checkContinue` listener hands the request on by emitting `request` itself.
      if (!begun.has(response)) {
        begun.add(response)
        tracker.requested(request, response)
        const wait = onRequest?.(request)
        wait?.(() => isGone(response) || Reflect.apply(emit, this, [event, ...args]))
        if (wait !== undefined) return true
      }
    } else if (event === 'upgrade' || event === 'connect') tracker.upgraded(args[1] as Socket)
    else if (event === 'stream') tracker.opened(args[0] as ServerHttp2Stream)
    else if (event === 'session') tracker.joined(args[0] as Http2Session)
    return Reflect.apply(emit, this, [event, ...args])
  } as typeof server.emit
  return {
    counts: () => tracker.counts(),
    drain: (options) => tracker.drain(options),
    reportOpen: () => tracker.reportOpen(),
    renew: () => tracker.renew(),
  }
}

class Tracker {
  readonly #server: Server
  readonly #family: Family
  readonly #responded: Responded
  readonly #sockets = new Set<Socket>()
  /** Connections whose end nobody can foresee. */
  readonly #endless = new Set<Socket>()
  readonly #answers = new Set<ServerResponse>()
  readonly #sessions = new Set<Http2Session>()
  readonly #streams = new Set<ServerHttp2Stream>()
  readonly #classes: [number, number, number, number, number] = [0, 0, 0, 0, 0]
  /** Reports of what is not over. */
  readonly #open = new Set<() => void>()
  #requests = 0
  #idleOver = false
  #settle: (() => void) | null = null
  #timers: NodeJS.Timeout[] = []

  constructor(server: Server, family: Family, responded: Responded) {
    this.#server = server
    this.#family = family
    this.#responded = responded
  }

  connected(socket: Socket): void {
    this.#sockets.add(socket)
    // Nobody knows where a message of another protocol ends.
    if (this.#family === 'net') this.#endless.add(socket)
    afterClose(socket, () => {
      this.#sockets.delete(socket)
      this.#endless.delete(socket)
      this.#look()
    })
  }

  upgraded(socket: Socket): void {
    this.#endless.add(socket)
  }

  /** A request of HTTP/1.1; or of http2's own such API, which has been counted as a stream. */
  requested(request: IncomingMessage, response: ServerResponse): void {
    if (this.#responded) this.#report(request, response, this.#responded)
    if (request.httpVersionMajor >= 2) return
    this.#answers.add(response)
    this.#requests += 1
    if (this.#settle !== null) lastOnConnection(response)
    response.once('close', () => {
      this.#answers.delete(response)
      if (response.headersSent) this.#count(response.statusCode)
      // Node takes the connection for idle one step after the answer has ended.
      setImmediate(() => this.#look())
    })
  }

  /** Target and address are taken at the beginning: an app may rewrite the one, a closed socket has forgotten the other. */
  #report(request: IncomingMessage, response: ServerResponse, responded: NonNullable<Responded>): void {
    const { socket, url: target = '' } = request
    const start = performance.now()
    const before = socket.bytesWritten
    const over = () => {
      if (!this.#open.delete(over)) return
      const duration = ms(performance.now() - start)
      // Streams of http2 share a connection: nobody counts their bytes.
      const bytes = request.httpVersionMajor >= 2 ? 0 : socket.bytesWritten - before
      responded({ request, response, target, bytes, duration, aborted: !response.writableFinished })
    }
    void socket.remoteAddress
    this.#open.add(over)
    // An app may exit as soon as its answer is sent; without an answer there is only 'close'.
    response.once('finish', over).once('close', over)
  }

  /** As it was before a drain that is over. */
  renew(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer)
    this.#idleOver = false
    this.#settle = null
    this.#requests = 0
    this.#classes.fill(0)
  }

  reportOpen(): void {
    for (const over of this.#open) over()
  }

  opened(stream: ServerHttp2Stream): void {
    this.#streams.add(stream)
    this.#requests += 1
    afterClose(stream, () => {
      // An app may emit 'close' as well.
      if (this.#streams.delete(stream)) this.#count(Number(stream.sentHeaders?.[':status']))
    })
  }

  joined(session: Http2Session): void {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
    if (this.#settle !== null) session.close()
  }

  counts(): Counts {
    const active = this.#answers.size + this.#streams.size + this.#endless.size
    return { requests: this.#requests, active, connections: this.#sockets.size, classes: [...this.#classes] }
  }

  drain({ idle, streams }: DrainOptions): Promise<void> {
    this.#after(idle, () => {
      this.#idleOver = true
      this.#look()
    })
    this.#after(streams, () => this.#endStreams())
    return new Promise((resolve) => {
      this.#settle = resolve
      for (const answer of this.#answers) lastOnConnection(answer)
      for (const session of this.#sessions) session.close()
      this.#look()
    })
  }

  #endStreams(): void {
    for (const socket of this.#endless) socket.destroySoon()
    for (const answer of this.#answers) if (answer.headersSent) answer.socket?.destroySoon()
    for (const stream of this.#streams) if (stream.headersSent) stream.close()
  }

  #count(status: number): void {
    const place = Math.trunc(status / 100) - 1
    if (place >= 0 && place < 5) this.#classes[place]! += 1
  }

  #look(): void {
    if (this.#idleOver) (this.#server as Partial<HttpServer>).closeIdleConnections?.()
    if (this.#sockets.size === 0) this.#settle?.()
  }

  #after(delay: Ms, then: () => void): void {
    this.#timers.push(setTimeout(then, delay).unref())
  }
}

/** A response of http2's has no `destroyed`, its stream does. */
const isGone = (response: ServerResponse & { stream?: { destroyed: boolean } | null }): boolean =>
  response.destroyed || response.stream?.destroyed === true

const lastOnConnection = (answer: ServerResponse): void => {
  if (!answer.headersSent) answer.shouldKeepAlive = false
}
