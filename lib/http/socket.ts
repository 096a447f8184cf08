/**
 * The sockets that the engine makes for accepted connections. They are net.Sockets whose bytes are read into one
 * buffer that all of them share and handed to the connection at once: no allocation and no stream machinery a read.
 * As soon as anybody else wants the bytes (a 'data' or 'readable' listener, an upgrade) they go through the stream,
 * copied, and everything is as with any other net.Socket.
 */
import net from 'node:net'
import { CONNECTION, type Handle, type Server, type ServerSocket } from './node.ts'

/** As much as libuv offers to read at once. */
const READ_SIZE = 65536
const shared = Buffer.allocUnsafeSlow(READ_SIZE)

const HttpSocket = class Socket extends net.Socket {}

/** Makes the socket of an accepted connection, as net.Server does. */
export function socketFor(server: Server, handle: Handle): ServerSocket {
  const socket = new HttpSocket({
    handle,
    allowHalfOpen: true,
    noDelay: server.noDelay,
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

/** Whether this socket hands its bytes over without its stream. */
export const readsDirectly = (socket: unknown): boolean => socket instanceof HttpSocket

/** False stops the reading until `resume()`. */
function received(socket: ServerSocket, length: number): boolean {
  const connection = socket[CONNECTION]
  if (connection?.direct) return connection.receive(shared, 0, length)
  return socket.push(Buffer.from(shared.subarray(0, length)))
}

/** A write that was held back so that those behind it go with it. */
export type HeldWrite = {
  readonly chunk: Buffer | string
  readonly encoding: BufferEncoding
  readonly written: (error?: Error | null) => void
}

export type WriteBatch = { first: HeldWrite | null }

const nodeWrite = net.Socket.prototype._write

/** Writes what was held back; what the stream has gathered behind it follows in one vector. */
export function writeNow(socket: ServerSocket, { chunk, encoding, written }: HeldWrite): void {
  nodeWrite.call(socket, chunk, encoding, written)
}

/** A listener for the bytes: from now on the stream has them, and the connection listens to it like everybody. */
function watched(method: 'on' | 'prependListener') {
  const original = net.Socket.prototype[method] as (event: string | symbol, listener: () => void) => net.Socket
  return function (this: ServerSocket, event: string | symbol, listener: () => void) {
    if (event === 'data' || event === 'readable') this[CONNECTION]?.listenToStream()
    return original.call(this, event, listener)
  }
}

Object.assign(HttpSocket.prototype, {
  on: watched('on'),
  addListener: watched('on'),
  prependListener: watched('prependListener'),
  _write(this: ServerSocket, chunk: Buffer | string, encoding: BufferEncoding, written: HeldWrite['written']) {
    const batch = this[CONNECTION]?.batch
    if (batch) batch.first = { chunk, encoding, written }
    else nodeWrite.call(this, chunk, encoding, written)
  },
})
