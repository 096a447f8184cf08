/**
 * The sockets that the engine makes for accepted connections. They are net.Sockets whose bytes are read into one
 * buffer that all of them share and handed to the connection at once: no allocation and no stream machinery a read.
 * As soon as anybody else wants the bytes (a 'data' or 'readable' listener, an upgrade) they go through the stream,
 * copied, and everything is as with any other net.Socket.
 */
import { AsyncResource } from 'node:async_hooks'
import net from 'node:net'
import { CONNECTION, type Handle, type Server, type ServerSocket } from './node.ts'
import { flush, turnGoesOn, type Write, write, writeAllNow } from './together.ts'
import { bytesOf } from './write.ts'

/** As much as libuv offers to read at once. */
const READ_SIZE = 65536
const shared = Buffer.allocUnsafeSlow(READ_SIZE)

/** Whether these bytes stand in the buffer of all sockets, and are others' soon. */
export const isShared = (bytes: Buffer): boolean => bytes.buffer === shared.buffer

const HttpSocket = class Socket extends net.Socket {}

/** Makes the socket of an accepted connection, as net.Server does. */
export function socketFor(server: Server, handle: Handle): ServerSocket {
  const socket = new HttpSocket({
    handle,
    allowHalfOpen: true,
    noDelay: server.noDelay,
    keepAlive: server.keepAlive,
    keepAliveInitialDelay: server.keepAliveInitialDelay * 1000,
    readableHighWaterMark: server.highWaterMark,
    writableHighWaterMark: server.highWaterMark,
    onread: { buffer: shared, callback: (length: number) => received(socket, length) },
  } as net.SocketConstructorOpts) as ServerSocket
  if (server.noDelay) handle.setNoDelay?.(true)
  if (server.keepAlive) handle.setKeepAlive?.(true, server.keepAliveInitialDelay)
  socket[CONNECTION] = null
  server._connections++
  socket.server = server
  socket._server = server
  return socket
}

/** Whether this socket can hand its bytes over without its stream, where nothing waits yet and nobody listens. */
export const readsDirectly = (socket: ServerSocket): boolean =>
  socket instanceof HttpSocket &&
  socket.readableLength === 0 &&
  socket.listenerCount('data') === 0 &&
  socket.listenerCount('readable') === 0

/** False stops the reading until `resume()`. */
function received(socket: ServerSocket, length: number): boolean {
  const connection = socket[CONNECTION]
  if (connection?.direct) {
    turnGoesOn()
    return connection.received(shared, length)
  }
  return socket.push(Buffer.from(shared.subarray(0, length)))
}

/** A listener for the bytes: from now on the stream has them, and the connection listens to it like everybody. */
function watched(method: 'on' | 'prependListener') {
  const original = net.Socket.prototype[method] as (event: string | symbol, listener: () => void) => net.Socket
  return function (this: ServerSocket, event: string | symbol, listener: () => void) {
    if (event === 'data' || event === 'readable') this[CONNECTION]?.listenToStream()
    return original.call(this, event, listener)
  }
}

const { unshift: streamUnshift } = net.Socket.prototype
const { write: streamWrite, destroy: streamDestroy } = net.Socket.prototype
const { _write: nodeWrite, _final: nodeFinal, _destroy: nodeDestroy } = net.Socket.prototype

const { get: nodeBytesWritten } = Object.getOwnPropertyDescriptor(net.Socket.prototype, 'bytesWritten')!

const MANUAL = { requireManualDestroy: true }

type Written = Write['written']

/** What is called when it is written belongs to who writes it, and not to what else is written by then. */
function bound(written: Written): Written {
  const scope = new AsyncResource('HTTPRESPONSE', MANUAL)
  return (error) => scope.runInAsyncScope(written, undefined, error)
}

function writeHeldOf(socket: ServerSocket): void {
  const connection = socket[CONNECTION]
  if (connection !== null) flush(connection)
}

Object.assign(HttpSocket.prototype, {
  on: watched('on'),
  addListener: watched('on'),
  prependListener: watched('prependListener'),
  /** Bytes that the app puts before the client's come through the stream. */
  unshift(this: ServerSocket, chunk: Buffer | string, encoding?: BufferEncoding) {
    this[CONNECTION]?.listenToStream()
    return streamUnshift.call(this, chunk, encoding)
  },
  write(this: ServerSocket, chunk: Buffer | string, encoding: BufferEncoding, written?: Written | null) {
    const later = written && this[CONNECTION]?.batch
    return streamWrite.call(this, chunk, encoding, later ? bound(written) : written!)
  },
  _write(this: ServerSocket, chunk: Buffer | string, encoding: BufferEncoding, written: Written) {
    const connection = this[CONNECTION]
    if (connection === null) nodeWrite.call(this, chunk, encoding, written)
    else if (connection.batch) connection.batch.first = { chunk, encoding, written }
    else write(connection, { chunk, encoding, written }, chunk.length)
  },
  _final(this: ServerSocket, done: Written) {
    writeHeldOf(this)
    nodeFinal.call(this, done)
  },
  /** Before the stream is marked, which would keep what waits behind the first write. */
  destroy(this: ServerSocket, error?: Error): net.Socket {
    const connection = this[CONNECTION]
    if (connection?.batch && !this.destroyed) writeAllNow(connection)
    return streamDestroy.call(this, error)
  },
  _destroy(this: ServerSocket, error: Error | null, done: (error?: Error | null) => void) {
    writeHeldOf(this)
    nodeDestroy.call(this, error, done)
  },
})

Object.defineProperty(HttpSocket.prototype, 'bytesWritten', {
  configurable: true,
  /** What is held is as good as written. */
  get(this: ServerSocket): number {
    const bytes = nodeBytesWritten!.call(this)
    const connection = this[CONNECTION]
    return connection === null ? bytes : bytes + bytesOf(connection.held) + bytesOf(connection.batch?.first)
  },
})
