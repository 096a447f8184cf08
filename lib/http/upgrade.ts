/** 'upgrade' and 'connect': the end of HTTP on a connection, whose socket the app takes over. */
import { afterClose } from './after-close.ts'
import { completeRequest } from './body.ts'
import type { Connection } from './connection.ts'
import { HTTP_ERRORS } from './errors.ts'
import { beginRequest, contextOf, requestOf } from './exchange.ts'
import { fail } from './failure.ts'
import { release } from './listeners.ts'
import type { Incoming, ServerSocket } from './node.ts'
import type { Head } from './parser/head.ts'

export type Handover = { readonly event: 'upgrade' | 'connect'; readonly request: Incoming }

/**
 * Hands the socket over when the responses before are sent, or serves the request as any other: where nobody listens
 * for upgrades, where `shouldUpgradeCallback` says no, or where it has a body (RFC 9110 §7.8: an upgrade may be ignored).
 */
export function beginHandover(connection: Connection, head: Head): void {
  const { server } = connection.service
  const request = requestOf(connection, head)
  const event = head.method === 'CONNECT' ? 'connect' : 'upgrade'
  if (event === 'connect' && server.listenerCount('connect') === 0) {
    fail(connection, HTTP_ERRORS.CONNECT_UNSUPPORTED)
    return
  }
  request.upgrade = true
  if (event === 'upgrade' && (head.framing.kind !== 'none' || !wantsUpgrade(connection, request))) {
    request.upgrade = false
    beginRequest(connection, head, request)
    return
  }
  connection.phase = 'handover'
  connection.started = 0
  connection.idleSince = 0
  connection.handover = { event, request }
  if (connection.response !== null) connection.pause()
}

/** Node 22 asks a callback; before, it was enough that somebody listened. */
function wantsUpgrade(connection: Connection, request: Incoming): boolean {
  const { server } = connection.service
  if (typeof server.shouldUpgradeCallback === 'function') return Boolean(server.shouldUpgradeCallback(request))
  return server.listenerCount('upgrade') > 0
}

/** Everything before is sent: the socket is a plain one again, and what the client sent behind the head is `head`. */
export function finishHandover(connection: Connection): void {
  const { event, request } = connection.handover!
  const { service, socket } = connection
  const head = connection.takeUnread()
  connection.handover = null
  // The last response has taken the connection with it.
  if (socket.destroyed) return
  const ended = socket.readableEnded
  release(connection)
  service.connections.delete(connection)
  service.upgraded.add(socket)
  afterClose(socket, () => {
    service.upgraded.delete(socket)
    service.onGone?.()
  })
  contextOf().runInAsyncScope(() => {
    completeRequest(request, [])
    socket.readableFlowing = null
    if (!service.server.emit(event, request, socket, head)) socket.destroy()
    else if (ended) process.nextTick(tellEnd, socket)
    // It may have been paused while responses were sent; whoever does not read must still hear of the end.
    else if (socket._handle?.reading === false) socket._read(0)
  })
}

/** A TLS socket ends although it is paused: the app was not there to hear it. */
function tellEnd(socket: ServerSocket): void {
  if (socket.destroyed) return
  socket.emit('end')
  if (!socket.allowHalfOpen) socket.end()
}
