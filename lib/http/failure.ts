/**
 * A request that cannot be served. The responses to the requests before it are sent first; then the app's
 * 'clientError' listener gets the socket for the statuses that Node itself would send, else the engine answers with
 * the constant text of the error; then the connection is closed, lingering.
 *
 * Where the app has the failed request already (the error stands in its body) the answer takes the place of the
 * response, if that has not begun; if it has, the connection ends behind what is written by then: there is no second
 * status line. A response that is ended leaves whole.
 */
import { STATUS_CODES } from 'node:http'
import { close } from './closing.ts'
import type { Connection } from './connection.ts'
import type { HttpError } from './errors.ts'
import { canLinger, linger } from './linger.ts'
import type { Outgoing } from './node.ts'
import { writeAllNow } from './together.ts'

export type PendingFailure = {
  readonly error: HttpError
  readonly exception: ClientError
  /** The response that the answer takes the place of. */
  readonly instead: Outgoing | null
}

export type BrokenResponse = { readonly response: Outgoing; readonly exception: ClientError }

/** What 'clientError' listeners get, as from Node's parser. */
export type ClientError = Error & { code: string; reason?: string; bytesParsed?: number; rawPacket?: Buffer }

/** The statuses that Node sends itself: its 'clientError' listeners know them. */
const NODE_STATUSES: ReadonlySet<number> = new Set([400, 408, 413, 431])

/** An app that listens for 'clientError' has the socket; if it forgets it, the connection ends after this long. */
const LISTENER_GRACE = 60_000

/** Ends the sequence of requests: `error` is what the next of them gets; `bytes` are those that were just read. */
export function fail(connection: Connection, error: HttpError, bytes?: Buffer, parsed?: number): void {
  if (connection.failure !== null) return
  const { incoming, waiting } = connection
  connection.phase = 'over'
  connection.started = 0
  connection.idleSince = 0
  const instead = incoming === null ? null : responseOf(connection)
  const exception = exceptionOf(error, bytes, parsed)
  if (incoming !== null && (instead === null || instead.headersSent)) {
    if (instead === null) close(connection)
    else if (instead.writableEnded) instead._last = true
    else if (instead === connection.response) breakOff(connection, exception)
    else breakOffLater(connection, instead, exception)
    return
  }
  if (instead !== null && instead !== connection.response) waiting.pop()
  connection.failure = { error, exception, instead }
  if (failureIsDue(connection)) sendFailure(connection)
}

/** What was written may still wait for the rest of its read, turn or tick. What the kernel has no room for is lost. */
export function breakOff(connection: Connection, exception: ClientError): void {
  const { service, socket } = connection
  writeAllNow(connection)
  if (canLinger(socket)) linger(service, socket)
  socket.destroy(exception)
}

/** In its turn, unless it is ended by then. */
function breakOffLater(connection: Connection, response: Outgoing, exception: ClientError): void {
  connection.broken = { response, exception }
  response._last = true
}

/** The open response to the request whose body is being received: the newest, if it is still open. */
function responseOf(connection: Connection): Outgoing | null {
  const newest = connection.waiting.at(-1) ?? connection.response
  return newest?.req === connection.incoming ? newest : null
}

/** Whether everything before the failure has been sent. */
export function failureIsDue(connection: Connection): boolean {
  const { failure, response, waiting } = connection
  return failure !== null && waiting.length === 0 && (response === null || response === failure.instead)
}

export function sendFailure(connection: Connection): void {
  const { service, socket } = connection
  const { error, exception } = connection.failure!
  if (socket.destroyed) return
  if (!NODE_STATUSES.has(error.status)) {
    answer(connection)
    close(connection, exception)
    service.server.emit('clientError', exception, socket)
  } else if (!tellListener(connection)) {
    answer(connection)
    close(connection, exception)
  } else if (!socket.destroyed) {
    if (socket.writableEnded) close(connection)
    else connection.endWithin(LISTENER_GRACE)
  }
}

/** Most listeners write and destroy: their answer must arrive, too. */
function tellListener(connection: Connection): boolean {
  const { service, socket, failure } = connection
  const { destroy } = socket
  const had = Object.hasOwn(socket, 'destroy')
  const restore = () => {
    if (had) socket.destroy = destroy
    else delete (socket as { destroy?: unknown }).destroy
  }
  socket.destroy = (error) => {
    restore()
    writeAllNow(connection)
    if (canLinger(socket)) linger(service, socket)
    return destroy.call(socket, error)
  }
  try {
    return service.server.emit('clientError', failure!.exception, socket)
  } finally {
    restore()
  }
}

function answer({ socket, failure }: Connection): void {
  if (socket.writable) socket.write(answerTo(failure!.error), 'latin1')
}

function answerTo({ status, text }: HttpError): string {
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nDate: ${new Date().toUTCString()}\r\n` +
    `Content-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`
  )
}

function exceptionOf(error: HttpError, bytes?: Buffer, parsed?: number): ClientError {
  if (error.code === 'REQUEST_TIMEOUT') return Object.assign(new Error('Request timeout'), { code: error.node! })
  return Object.assign(new Error(`Parse Error: ${error.text}`), {
    code: error.node ?? `ERR_HTTP_${error.code}`,
    reason: error.text,
    ...(bytes && { bytesParsed: parsed ?? 0, rawPacket: Buffer.from(bytes) }),
  })
}
