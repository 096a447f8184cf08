/** How a connection ends. */
import net from 'node:net'
import type { Connection } from './connection.ts'
import { canLinger, LINGER_TIME, linger } from './linger.ts'
import { writeAllNow } from './together.ts'

/** Nothing more is sent; with an error, the app's request, response and socket are told, as by Node. */
export function close(connection: Connection, error?: Error): void {
  const { service, socket } = connection
  connection.phase = 'over'
  connection.started = 0
  connection.idleSince = 0
  if (socket.destroyed) return
  writeAllNow(connection)
  if (canLinger(socket)) {
    linger(service, socket)
    leave(connection, error)
  } else if (!(socket instanceof net.Socket) || socket.readableEnded) {
    socket.end(() => leave(connection, error))
  } else {
    closeLate(connection, error)
  }
}

/** Something waits to be written, or the socket is a TLS one, whose connection cannot be taken away. */
function closeLate(connection: Connection, error?: Error): void {
  const { socket } = connection
  socket.end(() => {
    if (canLinger(socket)) close(connection, error)
    else connection.endWithin(LINGER_TIME)
  })
  socket._paused = false
  socket.resume()
}

function leave({ socket }: Connection, error?: Error): void {
  if (error !== undefined) socket.destroy(error)
  else if (typeof socket.destroySoon === 'function') socket.destroySoon()
}
