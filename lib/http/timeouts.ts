/** What the timeouts of the server object mean for a connection, read from it each time. */
import { close } from './closing.ts'
import type { Connection } from './connection.ts'
import { HTTP_ERRORS } from './errors.ts'
import { fail } from './failure.ts'
import { endGrace, lookAgain } from './half-closed.ts'

const NEVER = Number.POSITIVE_INFINITY

/** Does what is due at `now`; returns when to look again. */
export function judge(connection: Connection, now: number): number {
  if (deadline(connection) <= now) expire(connection, now)
  return deadline(connection)
}

/** When the connection's wait ends. */
export function deadline(connection: Connection): number {
  const { service, endAt, lookAt } = connection
  if (endAt !== 0) return lookAt === 0 ? endAt : Math.min(endAt, lookAt)
  if (service.drainIdleAt !== null && connection.isIdle) return connection.lastLook ? NEVER : service.drainIdleAt
  if (connection.started !== 0) return connection.started + receiveTimeout(connection)
  if (connection.idleSince === 0) return NEVER
  const timeout = service.keepAliveTimeout
  return timeout === 0 ? NEVER : connection.idleSince + timeout + service.keepAliveBuffer
}

/** How long a request may take to arrive: its head, then the whole of it. */
function receiveTimeout(connection: Connection): number {
  const { headersTimeout, requestTimeout } = connection.service.server
  const whole = requestTimeout > 0 ? requestTimeout : NEVER
  return connection.phase !== 'body' && headersTimeout > 0 ? Math.min(headersTimeout, whole) : whole
}

function expire(connection: Connection, now: number): void {
  if (connection.endAt !== 0) {
    if (connection.endAt <= now) endGrace(connection)
    else lookAgain(connection)
  } else if (connection.service.draining && connection.isIdle) {
    closeAfterLastLook(connection)
  } else if (connection.started !== 0) {
    fail(connection, HTTP_ERRORS.REQUEST_TIMEOUT)
  } else {
    connection.idleSince = 0
    connection.socket.emit('timeout')
  }
}

/** What the kernel has received by now is read first: a request in it is still answered. */
function closeAfterLastLook(connection: Connection): void {
  connection.lastLook = true
  setImmediate(() => {
    connection.lastLook = false
    if (connection.isIdle) close(connection)
  })
}
