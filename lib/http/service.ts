/** What the connections of one server share. */
import { AsyncResource } from 'node:async_hooks'
import http, { type IncomingMessage } from 'node:http'
import type net from 'node:net'
import type { Connection } from './connection.ts'
import type { EngineOptions, ResponseRecord, Wait } from './engine.ts'
import { type Limits, limitsFor } from './limits.ts'
import type { AppMessages } from './messages.ts'
import { defaultKeepAliveTimeout, type Server, type ServerSocket } from './node.ts'
import { type Rules, rulesOf } from './parser/rules.ts'
import { Sweep } from './sweep.ts'

/** How long the answer to a half-closed client may take. */
const DISCONNECT_GRACE = 3000

export class Service {
  readonly server: Server
  readonly options: EngineOptions
  readonly connections = new Set<Connection>()
  /** Sockets that were handed to the app by 'upgrade' and 'connect'. */
  readonly upgraded = new Set<ServerSocket>()
  /** Connections before the end of their TLS handshake, and the TLS ones themselves. */
  readonly handshaking = new Set<net.Socket>()
  /** Connections whose sockets the app has closed, each with its end. */
  readonly lingering = new Map<net.Socket, number>()
  /** What is no request's work runs here, so that no request's context leaks into it. */
  readonly scope = new AsyncResource('HTTPSERVER', { requireManualDestroy: true })
  readonly sweep: Sweep
  readonly disconnectGrace: number
  readonly together: boolean
  readonly onRequest: ((request: IncomingMessage) => Wait | undefined) | null
  readonly onResponse: ((record: ResponseRecord) => void) | null
  /** The Express app that the requests went to. */
  app: AppMessages | null = null
  requests = 0
  /** Responses by the first digit of their status, less one. */
  readonly classes: [number, number, number, number, number] = [0, 0, 0, 0, 0]
  /** After `drain()`: when idle connections are closed (monotonic milliseconds). */
  drainIdleAt: number | null = null
  /** Called when a connection is gone. */
  onGone: (() => void) | null = null

  private currentRules: Rules | null = null
  private rulesSource = ''

  constructor(server: Server, options: EngineOptions) {
    this.server = server
    this.options = options
    this.disconnectGrace = options.disconnectGrace ?? DISCONNECT_GRACE
    this.onRequest = options.onRequest ?? null
    this.onResponse = options.onResponse ?? null
    this.together = options.together ?? true
    this.sweep = new Sweep(this)
    const { keepAlive } = options
    if (keepAlive && (keepAlive.explicit || server.keepAliveTimeout === defaultKeepAliveTimeout)) {
      server.keepAliveTimeout = keepAlive.timeout
    }
  }

  /** As it was before a drain that is over. */
  renew(): void {
    this.drainIdleAt = null
    this.onGone = null
    this.requests = 0
    this.classes.fill(0)
  }

  get draining(): boolean {
    return this.drainIdleAt !== null
  }

  /** An operator who sets zero wants no connection kept. */
  get closesAlways(): boolean {
    const { keepAlive } = this.options
    return keepAlive?.explicit === true && keepAlive.timeout === 0
  }

  /** Milliseconds: the operator's explicit setting, else what the server object says now. Zero is no limit. */
  get keepAliveTimeout(): number {
    const { keepAlive } = this.options
    if (keepAlive?.explicit) return keepAlive.timeout
    return positive(this.server.keepAliveTimeout)
  }

  /** Beyond the timeout that the client is told, so that its request and our close do not cross. */
  get keepAliveBuffer(): number {
    const buffer = this.server.keepAliveTimeoutBuffer
    return typeof buffer === 'number' && buffer >= 0 ? buffer : 1000
  }

  /** The parser's rules, as the server object has them now. */
  get rules(): Rules {
    const { maxHeaderSize, maxHeadersCount, requireHostHeader } = this.server
    const source = `${maxHeaderSize} ${maxHeadersCount} ${requireHostHeader}`
    if (this.currentRules === null || this.rulesSource !== source) {
      this.rulesSource = source
      this.currentRules = rulesOf({
        methods: http.METHODS,
        ...this.options.parser,
        limits: limitsOf(this.options.limits ?? {}, maxHeaderSize ?? 0, maxHeadersCount ?? 0),
        requireHostHeader: (this.options.parser?.requireHostHeader ?? true) && requireHostHeader !== false,
      })
    }
    return this.currentRules
  }

  /** Milliseconds, monotonic. */
  now(): number {
    return performance.now()
  }
}

/** What `http.maxHeaderSize` is where nobody set it. */
const NODE_HEADER_SIZE = 16384

/**
 * An app's own `maxHeaderSize`, or Node's `--max-http-header-size`, raises what was not set, and lowers the whole head; its
 * `maxHeadersCount` does both.
 */
function limitsOf(set: Partial<Limits>, maxHeaderSize: number, maxHeadersCount: number): Limits {
  const size = maxHeaderSize || http.maxHeaderSize
  const { limitRequestHead, limitRequestFields, ...limits } = limitsFor(set, size)
  const lowered = maxHeaderSize > 0 || size < NODE_HEADER_SIZE ? Math.min(limitRequestHead, size) : limitRequestHead
  return {
    ...limits,
    limitRequestHead: set.limitRequestHead ?? lowered,
    limitRequestFields: set.limitRequestFields ?? (maxHeadersCount > 0 ? maxHeadersCount : limitRequestFields),
  }
}

const positive = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
