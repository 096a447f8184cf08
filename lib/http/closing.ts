/**
 * How a connection ends: our side is shut down first, and what still comes is read and thrown away until the client
 * closes too. A close with unread bytes in the kernel would reset the connection, and a reset takes the response away
 * from a client that has not read it yet (RFC 9112 §9.6).
 */
import net from 'node:net'
import type { Connection } from './connection.ts'

/** How long, and how many bytes, a client may still send. */
const LINGER_TIME = 2000
const LINGER_BYTES = 65536

/** Nothing more will be sent. */
export function close(connection: Connection): void {
  const { socket } = connection
  connection.phase = 'over'
  connection.started = 0
  connection.idleSince = 0
  if (socket.destroyed) return
  if (!(socket instanceof net.Socket)) {
    ;(socket as net.Socket).end()
    return
  }
  if (socket.readableEnded) {
    socket.destroySoon()
    return
  }
  socket.end()
  connection.endWithin(LINGER_TIME)
  socket._paused = false
  socket.resume()
}

/** Bytes have come that nobody wants. */
export function discard(connection: Connection, bytes: number): void {
  connection.discarded += bytes
  const { socket } = connection
  if (connection.discarded <= LINGER_BYTES || !socket.writableEnded) return
  if (socket.writableFinished) socket.destroy()
  else socket.pause()
}
