/**
 * The client has sent its FIN while its answer is being made. One that is gone and one that only has finished sending
 * send the same FIN (RFC 9293 §3.6); the second still waits for its answer, and an app that hears `close` would not
 * give it. So the answer has `disconnectGrace`, unless the kernel knows that nobody holds the other end any more: then
 * `close` and `aborted` come at once. It knows for UNIX sockets and for clients on this machine, a proxy's among them.
 */
import { type Fd, fd } from '../units.ts'
import type { Connection } from './connection.ts'
import { emitClose } from './exchange.ts'
import { failureIsDue } from './failure.ts'
import type { Outgoing } from './node.ts'

/** The client may also leave while it waits: it is looked for after so long, then after twice as long, up to `MOST`. */
const FIRST_LOOK = 10
const MOST_BETWEEN_LOOKS = 250

/** The other end of a connection: some process has it, none has, or the kernel cannot tell. */
export type OtherEnd = (socket: Fd) => 'held' | 'left' | 'unknown'

export function waitForAnswer(connection: Connection): void {
  const { disconnectGrace } = connection.service
  const other = disconnectGrace === 0 ? 'left' : otherEnd(connection)
  if (other === 'left') {
    connection.socket.end()
    return
  }
  if (other === 'held') lookAfter(connection, FIRST_LOOK)
  connection.endWithin(disconnectGrace)
}

/** Is the client still there? */
export function lookAgain(connection: Connection): void {
  const other = otherEnd(connection)
  if (other === 'held') lookAfter(connection, Math.min(2 * connection.lookWait, MOST_BETWEEN_LOOKS))
  else connection.lookAt = 0
  if (other === 'left') connection.socket.end()
}

/** The answer had its time. Those that are ended and still on their way are left to arrive. */
export function endGrace(connection: Connection): void {
  const { response } = connection
  connection.lookAt = 0
  if (response === null || !response.writableEnded || failureIsDue(connection)) {
    connection.socket.destroy()
  } else {
    connection.endAt = 0
    giveUpUnanswered(connection, response)
  }
}

/**
 * The first in the row that is not ended will not be sent, nor can what stands behind it. They stay in the row until the
 * socket is closed: destroying their requests would close it.
 */
function giveUpUnanswered({ waiting }: Connection, response: Outgoing): void {
  const first = waiting.findIndex((each) => !each.writableEnded)
  if (first < 0) return
  const last = waiting[first - 1] ?? response
  last._last = true
  for (const each of waiting.slice(first)) process.nextTick(emitClose, each)
}

function lookAfter(connection: Connection, wait: number): void {
  connection.lookWait = wait
  connection.lookAt = connection.service.now() + wait
}

function otherEnd({ service, socket }: Connection): ReturnType<OtherEnd> {
  const number = socket._handle?.fd ?? -1
  return number < 0 ? 'unknown' : (service.options.otherEnd?.(fd(number)) ?? 'unknown')
}
