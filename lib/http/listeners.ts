/** The listeners that a connection has on its socket: the same functions for all connections. */
import net from 'node:net'
import { close } from './closing.ts'
import type { Connection } from './connection.ts'
import { HTTP_ERRORS } from './errors.ts'
import { emitClose, onDrain } from './exchange.ts'
import { fail, failureIsDue } from './failure.ts'
import { waitForAnswer } from './half-closed.ts'
import { LINGER_TIME } from './linger.ts'
import { CONNECTION, type Outgoing, type ServerSocket } from './node.ts'
import { reportResponse } from './records.ts'
import { writeAllNow } from './together.ts'
import { writeTogether } from './write.ts'

const listen = net.Socket.prototype.on as (this: ServerSocket, event: string, listener: object) => void

const LISTENERS = { error: onError, end: onEnd, close: onClose, drain: onSocketDrain, timeout: onTimeout }
const EVENTS = Object.keys(LISTENERS) as (keyof typeof LISTENERS)[]

/** Makes the connection hear its socket. */
export function hear(connection: Connection): void {
  const { socket, service } = connection
  for (const event of EVENTS) socket.on(event, LISTENERS[event])
  if (!connection.direct) hearStream(connection)
  socket.setEncoding = refuseEncoding
  if (socket instanceof net.Socket) {
    socket._writev = writeTogether
    // A TLS socket answers an end with its own, unless told otherwise.
    socket.allowHalfOpen = true
    if (service.server.timeout > 0) socket.setTimeout(service.server.timeout)
  }
}

/** The bytes come through the stream: its listener is Node's `on`, which does not call us back. */
export function hearStream({ socket }: Connection): void {
  listen.call(socket, 'data', onData)
}

/** The socket is no longer ours. */
export function release(connection: Connection): void {
  const { socket } = connection
  writeAllNow(connection)
  for (const event of EVENTS) socket.removeListener(event, LISTENERS[event])
  socket.removeListener('data', onData)
  delete (socket as { setEncoding?: unknown }).setEncoding
  delete (socket as { _writev?: unknown })._writev
  socket[CONNECTION] = null
  socket._paused = false
  socket.allowHalfOpen = connection.allowHalfOpen
}

function onData(this: ServerSocket, bytes: Buffer): void {
  this[CONNECTION]?.receive(bytes, 0, bytes.length)
}

function onSocketDrain(this: ServerSocket): void {
  const connection = this[CONNECTION]
  if (connection !== null) onDrain(connection)
}

/** The listeners of request, response and server decide; without one the socket is destroyed, as in Node. */
function onTimeout(this: ServerSocket): void {
  const connection = this[CONNECTION]
  if (connection === null) return
  const { incoming, response, service } = connection
  // Of one that was answered on a connection that ends, what still comes is thrown away.
  const isOver = connection.phase === 'over' && response === null
  const request = (!isOver && incoming?.emit('timeout', this)) ?? false
  const answer = response?.emit('timeout', this) ?? false
  const server = service.server.emit('timeout', this)
  if (!request && !answer && !server) this.destroy()
}

/** The first error counts; what is done about it may bring about others. */
function onError(this: ServerSocket, error: Error): void {
  const connection = this[CONNECTION]
  if (connection === null || connection.failure !== null) return
  this.removeListener('error', onError)
  this.on('error', ignore)
  if (!connection.service.server.emit('clientError', error, this)) this.destroy(error)
}

function ignore(): void {}

/**
 * The client has half-closed. A request that it broke off is an error; one that it waits on is answered if the answer
 * begins within the grace; an answer that goes on and on is broken off, for its handler must hear that nobody reads.
 */
function onEnd(this: ServerSocket): void {
  const connection = this[CONNECTION]
  if (connection === null || connection.phase === 'handover') return
  const { response, waiting, service, failure } = connection
  const incomplete = failure === null && connection.isInside
  if (incomplete) fail(connection, HTTP_ERRORS.REQUEST_INCOMPLETE)
  if (incomplete || failure !== null) {
    // Responses stand before it.
    if (!failureIsDue(connection)) waitForAnswer(connection)
  } else if (response === null) {
    close(connection)
  } else {
    connection.phase = 'over'
    const newest = waiting.at(-1) ?? response
    newest._last = true
    if (service.server.httpAllowHalfOpen) return
    if (response.headersSent && !response.writableEnded) {
      this.end()
      // What was written by then has no longer to leave: nobody may be reading it.
      connection.endWithin(LINGER_TIME)
    } else {
      waitForAnswer(connection)
    }
  }
}

function onClose(this: ServerSocket): void {
  const connection = this[CONNECTION]
  if (connection === null) return
  const { service, incoming, response, waiting, sending } = connection
  service.connections.delete(connection)
  // One that ended the connection is done, and those that waited behind it are not.
  const open = [...sending.splice(0), ...(response === null ? [] : [response]), ...waiting.splice(0)]
  const { failure } = connection
  if (failure?.instead && !open.includes(failure.instead)) open.push(failure.instead)
  for (const { req } of open) req.destroy(aborted())
  // Answered before it has come: whoever reads it must hear that it will not; of what is thrown away nobody does.
  if (incoming !== null && !incoming._dumped) incoming.destroy(aborted())
  for (const each of open) abandon(connection, each)
  service.onGone?.()
}

/** The response will never be sent whole. */
function abandon(connection: Connection, response: Outgoing): void {
  reportResponse(connection, response, true)
  emitClose(response)
}

const aborted = (): Error => Object.assign(new Error('aborted'), { code: 'ECONNRESET' })

function refuseEncoding(): never {
  throw Object.assign(new Error('Changing the socket encoding is not allowed per RFC7230 Section 3.'), {
    code: 'ERR_HTTP_SOCKET_ENCODING',
  })
}
