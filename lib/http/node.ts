/**
 * What the engine uses of Node beyond its documentation, in one place: underscored members that have kept their names
 * since Node 0.x, and symbols that are found by their description on objects made for looking. Tested on every
 * supported version; a missing symbol only loses what its comment says.
 */
import http from 'node:http'
import type net from 'node:net'
import type { Duplex } from 'node:stream'
import type { Connection } from './connection.ts'

/** Which connection a socket or response belongs to. */
export const CONNECTION: unique symbol = Symbol('monoceros.connection')

type ReadableState = {
  resumeScheduled: boolean
  ended: boolean
  endEmitted: boolean
  destroyed: boolean
  closed: boolean
  closeEmitted: boolean
}

export type Incoming = http.IncomingMessage & {
  _addHeaderLines(lines: string[], count: number): void
  _dump(): void
  _dumpAndCloseReadable(): void
  readonly _dumped: boolean
  readonly _consuming: boolean
  readonly _readableState: ReadableState
  readonly _eventsCount: number
  upgrade: boolean
  joinDuplicateHeaders: boolean | undefined
  [detachAbortSignal]?: () => void
}

export type Outgoing = http.ServerResponse<Incoming> & {
  _last: boolean
  _closed: boolean
  _headerSent: boolean
  readonly _header: string | null
  /** What was written before it has the socket. */
  readonly outputData: { readonly data: string | Buffer; readonly encoding: string }[]
  _keepAliveTimeout: number
  _maxRequestsPerSocket: number
  _onPendingData: (this: Outgoing, bytes: number) => void
  _expect_continue: boolean
  _flush(): void
  maxRequestsOnConnectionReached: boolean
  destroyed: boolean
  readonly _eventsCount: number
  [CONNECTION]: Connection
  [uniqueHeaders]: unknown
  [needDrain]: boolean
}

/** A socket of a server: net.Socket, tls.TLSSocket or any Duplex that the app emitted 'connection' with. */
export type ServerSocket = net.Socket & {
  _paused: boolean
  _httpMessage: Outgoing | null
  _handle: Handle | null
  _server: Server | undefined
  server: Server | undefined
  readableFlowing: boolean | null
  /** What waits behind the write that is under way. */
  readonly writableBuffer: readonly unknown[]
  _writev(chunks: WriteChunks, written: (error?: Error | null) => void): void
  [CONNECTION]: Connection | null
}

export type WriteChunks = { chunk: string | Buffer; encoding: BufferEncoding | 'buffer' }[] & { allBuffers?: boolean }

export type Handle = {
  readonly fd?: number
  reading: boolean
  bytesRead?: number | undefined
  bytesWritten?: number | undefined
  readStart?: () => number
  readStop?: () => number
  shutdown?: (request: object) => number
  close?: (callback: () => void) => void
  ref?: () => void
  unref?: () => void
  onconnection?: (this: Handle, status: number, client: Handle) => void
  useUserBuffer?: (buffer: Uint8Array) => void
  setNoDelay?: (on: boolean) => void
  setKeepAlive?: (on: boolean, seconds: number) => void
}

/** http.Server with what its types leave out. */
export type Server = http.Server & {
  _handle: Handle | null
  _connections: number
  /** One listener stands there by itself, several in a list. */
  readonly _events: { readonly request?: unknown }
  blockList?: unknown
  pauseOnConnect: boolean
  noDelay: boolean
  keepAlive: boolean
  keepAliveInitialDelay: number
  highWaterMark: number
  httpAllowHalfOpen: boolean
  joinDuplicateHeaders: boolean | undefined
  maxHeaderSize: number | undefined
  insecureHTTPParser: boolean | undefined
  keepAliveTimeoutBuffer: number | undefined
  rejectNonStandardBodyWrites: boolean
  requireHostHeader: boolean
  shouldUpgradeCallback: ((request: http.IncomingMessage) => boolean) | undefined
  [incomingClass]: new (socket: Duplex) => Incoming
  [responseClass]: new (request: Incoming, options: ResponseOptions) => Outgoing
  [uniqueHeaders]: unknown
  [connectionList]: unknown
  [optimizeEmptyRequests]?: boolean
}

export type ResponseOptions = { readonly highWaterMark: number; readonly rejectNonStandardBodyWrites: boolean }

type Listener = (...args: never[]) => void

/** The listener that every http and https server of Node has for its connections: the one that the engine replaces. */
export const nodeConnectionListener = (http as unknown as { _connectionListener: Listener })._connectionListener

const sample = sampleServer()

/** The classes of `IncomingMessage` and `ServerResponse` that the server was told to use. */
export const incomingClass: unique symbol = symbolOf(sample, 'IncomingMessage') as never
export const responseClass: unique symbol = symbolOf(sample, 'ServerResponse') as never
/** Without it the server's `uniqueHeaders` option does nothing. */
export const uniqueHeaders: unique symbol = symbolOf(sample, 'kUniqueHeaders') as never
/** Node's list of connections, which closeIdleConnections() and closeAllConnections() walk. */
export const connectionList: unique symbol = symbolOf(sample, 'http.server.connections') as never
/** Without it a response does not emit 'drain'. */
export const needDrain: unique symbol = symbolOf(new http.OutgoingMessage(), 'kNeedDrain') as never
/** Node 24 and later: a request without Content-Length and Transfer-Encoding is given to the app as one that was read. */
export const optimizeEmptyRequests: unique symbol = symbolOf(sample, 'OptimizeEmptyRequestsOption') as never
/** Node 26: the request's AbortSignal lets go of the socket. */
export const detachAbortSignal: unique symbol = symbolOf(http.IncomingMessage.prototype, 'kDetachAbortSignal') as never

/** What `keepAliveTimeout` is where nobody set it: 5000 in every version so far. */
export const defaultKeepAliveTimeout: number = sample.keepAliveTimeout

/** A server that believes to listen, so that it has all its properties, closed again. */
function sampleServer(): http.Server {
  const server = new http.Server()
  server.emit('listening')
  server.close()
  return server
}

function symbolOf(holder: object, description: string): symbol {
  return (
    Object.getOwnPropertySymbols(holder).find((symbol) => symbol.description === description) ?? Symbol(description)
  )
}
