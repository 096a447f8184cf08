/** Whose turn it is: responses of one connection leave in the order of their requests (RFC 9112 §9.3.2). */
import { defaultMaxListeners } from 'node:events'
import type { Connection } from './connection.ts'
import { breakOff } from './failure.ts'
import type { Outgoing } from './node.ts'

/** A new response: it gets the socket as soon as the one before it has said all. */
export function takeTurn(connection: Connection, response: Outgoing): void {
  const { response: before, waiting } = connection
  if (before === null) {
    giveSocket(connection, response)
  } else if (waiting.length === 0 && saidAll(connection, before)) {
    leavesWithNext(connection, before)
    giveSocket(connection, response)
  } else {
    waiting.push(response)
  }
}

/** The next that waits, and those behind it as long as they were ended while they waited: they leave together. */
export function flushWaiting(connection: Connection): void {
  const { waiting, socket, broken } = connection
  socket.cork()
  for (;;) {
    const next = waiting.shift()!
    if (next.destroyed) socket.destroy()
    giveSocket(connection, next)
    interimFirst(next)
    next._flush()
    if (broken?.response === next && !next.writableEnded) breakOff(connection, broken.exception)
    if (waiting.length === 0 || !saidAll(connection, next)) break
    leavesWithNext(connection, next)
  }
  socket.uncork()
}

/**
 * What Node gathers while a response waits it writes in the order of the calls, but for the head of one whose body begins
 * with bytes: that it puts before all, also before a 100 (Continue), which then stood in the body.
 */
function interimFirst({ outputData, _header }: Outgoing): void {
  if (outputData.length < 3 || outputData[0]!.data !== _header) return
  let behind = 1
  while (behind < outputData.length - 1 && isInterim(outputData[behind]!)) behind++
  if (behind > 1) outputData.splice(behind - 1, 0, ...outputData.splice(0, 1))
}

const isInterim = ({ data, encoding }: Outgoing['outputData'][number]): boolean =>
  encoding === 'ascii' && typeof data === 'string' && /^HTTP\/1\.1 1\d\d /.test(data)

/**
 * The next may write behind it before it has left: they leave in one write then. Where bytes are counted for each
 * response, each leaves alone.
 */
function saidAll({ service }: Connection, response: Outgoing): boolean {
  return response.writableEnded && !response._last && service.onResponse === null
}

/** Each of those that have the socket together may add as many listeners to it, unwarned, as it might alone. */
function leavesWithNext({ sending, socket }: Connection, response: Outgoing): void {
  sending.push(response)
  const most = defaultMaxListeners * (sending.length + 1)
  const allowed = socket.getMaxListeners()
  if (allowed !== 0 && allowed < most) socket.setMaxListeners(most)
}

/** What `assignSocket` does, without a 'close' listener for each response: the connection has one for all. */
function giveSocket(connection: Connection, response: Outgoing): void {
  const { socket } = connection
  connection.response = response
  socket._httpMessage = response
  ;(response as { socket: unknown }).socket = socket
  if (response._eventsCount > 0) response.emit('socket', socket)
}
