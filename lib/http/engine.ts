/** The words that the engine's user needs. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Ms } from '../units.ts'
import type { HttpError } from './errors.ts'
import type { OtherEnd } from './half-closed.ts'
import type { Limits } from './limits.ts'
import type { RuleOptions } from './parser/rules.ts'
import type { ProxyOptions } from './proxy/proxied.ts'
import type { TlsOptions } from './tls.ts'

/** Calls back when the waiting is over, in a tick of its own. */
export type Wait = (proceed: () => void) => void

export type EngineOptions = {
  /** Only those that were set: an app's larger `maxHeaderSize` raises the others. */
  readonly limits?: Partial<Limits>
  readonly parser?: Omit<RuleOptions, 'limits'>
  /**
   * How long an idle connection is kept. Without `explicit` it is written to `server.keepAliveTimeout` where that has
   * Node's default, and whatever the app assigns later holds; with it the server's property is not asked again.
   */
  readonly keepAlive?: { readonly timeout: Ms; readonly explicit: boolean }
  /** How long a client that has half-closed is waited on for a response that has not begun. Default 3 s. */
  readonly disconnectGrace?: Ms
  /** Tells a client that has half-closed from one that is gone, which is not waited on. Without it: never. */
  readonly otherEnd?: OtherEnd
  /** False: a response leaves at once, also where several requests were read in one turn of the event loop. */
  readonly together?: boolean
  /** Expects the PROXY protocol at the beginning of each connection. */
  readonly proxy?: ProxyOptions
  /** TLS for a plain `http.Server`. An `https.Server` keeps its own. */
  readonly tls?: TlsOptions
  /** Called for each request before the app sees it; what it returns is answered, and the connection closed. */
  readonly refuse?: (rawHeaders: readonly string[], socket: Socket) => HttpError | null
  /** Called for each request just before the app gets it. What it gives is waited for. */
  readonly onRequest?: (request: IncomingMessage) => Wait | undefined
  /** Called once a response, when it has been sent or its connection is gone. */
  readonly onResponse?: (record: ResponseRecord) => void
}

/** One response as an access log wants it. */
export type ResponseRecord = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** As it came: an app may rewrite `request.url`. */
  readonly target: string
  /** Sent to the client for it, head included; on a pipelined connection as exact as the socket counts. */
  readonly bytes: number
  /** From the head of the request to the end of the response, in milliseconds. */
  readonly duration: Ms
  /** The connection went away before the response was complete. */
  readonly aborted: boolean
}

export type Counts = {
  /** Open connections, upgraded ones included. */
  readonly connections: number
  /** Those between requests, or before their first. */
  readonly idle: number
  /** Those with a request that is being received or answered, and upgraded ones. */
  readonly active: number
  /** Requests since the engine was attached. */
  readonly requests: number
  /** Responses whose head was sent, by the first digit of their status: 1xx to 5xx. */
  readonly classes: readonly [number, number, number, number, number]
}

export type DrainOptions = {
  /** How long idle connections are kept for one request more. */
  readonly idle: Ms
  /** How long responses that have begun and upgraded connections may go on; those that begin later, a second or two. */
  readonly streams: Ms
}

export type Engine = {
  counts(): Counts
  /**
   * From now on every response carries `Connection: close`. Idle connections are kept for the grace, read once more,
   * half-closed and lingered on. Settles when no connection is left; a second call may only shorten the times.
   */
  drain(options: DrainOptions): Promise<void>
  /** New certificates, ticket keys or both for the connections to come, where `tls` was given. */
  renewTls(options: TlsOptions): void
  /** When it has drained: accepts and counts as at first, for another life of the process. */
  renew(): void
  /** Before the process exits: counts and reports the responses that are not over. */
  reportOpen(): void
}
