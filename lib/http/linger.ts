/**
 * A close with unread bytes in the kernel resets the connection, and a reset takes the response away from a client
 * that has not read it yet (RFC 9112 §9.6). So our side is shut down first, and what still comes is read and thrown
 * away until the client closes too, a time is over, or it sends too much.
 *
 * The app must not wait for that: its socket gives the connection away and closes at once, as under node:http.
 */
import type { AsyncResource } from 'node:async_hooks'
import net from 'node:net'
import { CONNECTION, type Handle, type ServerSocket } from './node.ts'
import type { Service } from './service.ts'

/** How long, and how many bytes, a client may still send. */
export const LINGER_TIME = 2000
const LINGER_BYTES = 65536

const waste = Buffer.allocUnsafeSlow(LINGER_BYTES)

/** Whether the connection can be taken from this socket: net.Socket's own, and all that was written has left. */
export const canLinger = (socket: ServerSocket): boolean =>
  Object.hasOwn(socket, 'encrypted') === false &&
  socket instanceof net.Socket &&
  typeof socket._handle?.useUserBuffer === 'function' &&
  socket.writableLength === 0 &&
  !socket[CONNECTION]?.flushing &&
  !socket.readableEnded

/** Takes the connection from the socket and ends it slowly. What the app does with the socket is without effect. */
export function linger(service: Service, socket: ServerSocket): void {
  const handle = socket._handle!
  socket._handle = emptyHandle(handle, service.scope)
  let bytes = 0
  const received = (length: number) => {
    bytes += length
    if (bytes > LINGER_BYTES) rest.destroy()
    return true
  }
  const options = { handle, allowHalfOpen: true, onread: { buffer: waste, callback: received } }
  const rest = service.scope.runInAsyncScope(() => new net.Socket(options as net.SocketConstructorOpts))
  const until = service.now() + LINGER_TIME
  service.lingering.set(rest, until)
  service.sweep.arm(until)
  rest.on('error', () => {})
  rest.on('close', () => {
    service.lingering.delete(rest)
    service.onGone?.()
  })
  rest.end()
}

/** What a net.Socket needs to believe that it closes a connection; it closes in no request's context. */
function emptyHandle({ bytesRead, bytesWritten }: Handle, scope: AsyncResource): Handle {
  const done = () => 0
  return {
    reading: false,
    bytesRead,
    bytesWritten,
    readStart: done,
    readStop: done,
    /** 1: done already (net.Socket's `_final`). */
    shutdown: () => 1,
    close: (callback) => scope.runInAsyncScope(setImmediate, undefined, callback),
    ref: done,
    unref: done,
  }
}
