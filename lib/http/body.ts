/** A request's body, on its way into the IncomingMessage. */
import type { AsyncResource } from 'node:async_hooks'
import { close } from './closing.ts'
import type { Connection } from './connection.ts'
import { fail } from './failure.ts'
import type { Incoming } from './node.ts'
import { ChunkedDecoder } from './parser/chunked.ts'
import type { Framing } from './parser/framing.ts'
import { isShared } from './socket.ts'
import { requestCame } from './together.ts'

/** The bytes that come next are the body of `request`, which is not empty. */
export function startBody(connection: Connection, request: Incoming, scope: AsyncResource, framing: Framing): void {
  connection.phase = 'body'
  connection.incoming = request
  connection.scope = scope
  connection.remaining = framing.kind === 'length' ? framing.length : 0
  connection.decoder = framing.kind === 'chunked' ? new ChunkedDecoder(connection.service.rules) : null
}

/** Takes what of the body stands in `bytes` from `connection.at` on; what was read begins at `read`. */
export function takeBody(connection: Connection, bytes: Buffer, read: number, to: number): void {
  if (connection.decoder !== null) takeChunked(connection, connection.decoder, bytes, read, to)
  else takeLength(connection, bytes, to)
}

function takeLength(connection: Connection, bytes: Buffer, to: number): void {
  const from = connection.at
  const end = Math.min(to, from + connection.remaining)
  connection.at = end
  connection.remaining -= end - from
  deliver(connection, bytes, from, end)
  if (connection.remaining === 0) endBody(connection, [])
}

function takeChunked(connection: Connection, decoder: ChunkedDecoder, bytes: Buffer, read: number, to: number): void {
  const event = decoder.read(bytes, connection.at, to)
  connection.at = decoder.at
  if (event === 'data') {
    deliver(connection, bytes, decoder.start, decoder.end)
  } else if (event === 'done') {
    endBody(connection, decoder.trailers)
  } else if (event === 'error') {
    connection.at = to
    fail(connection, decoder.error!, bytes.subarray(read, to), decoder.at - read)
  } else {
    connection.at = to
  }
}

/** A full request stops the socket, as in Node; its `_read` starts it again. */
function deliver(connection: Connection, bytes: Buffer, from: number, to: number): void {
  const request = connection.incoming!
  if (request._dumped || from === to) return
  const part = bytes.subarray(from, to)
  const chunk = isShared(bytes) ? Buffer.from(part) : part
  if (!connection.scope!.runInAsyncScope(request.push, request, chunk)) {
    connection.stalled = true
    connection.socket.pause()
  }
}

function endBody(connection: Connection, trailers: readonly string[]): void {
  const request = connection.incoming!
  const scope = connection.scope!
  connection.incoming = null
  connection.scope = null
  connection.decoder = null
  connection.started = 0
  connection.stalled = false
  connection.phase = connection.lastRequest ? 'over' : 'head'
  requestCame(connection)
  scope.runInAsyncScope(completeRequest, undefined, request, trailers)
  if (connection.phase === 'over' && connection.response === null) {
    close(connection)
    return
  }
  // It was answered before; only now the wait for the next request begins.
  if (connection.phase === 'head' && connection.response === null) connection.rest()
  if (!connection.socket._paused && connection.socket.readable) connection.socket.resume()
}

/** The whole message is here: `complete` is true before the trailers stand in it. */
export function completeRequest(request: Incoming, trailers: readonly string[]): void {
  request.complete = true
  if (trailers.length > 0) request._addHeaderLines(trailers as string[], trailers.length)
  request.push(null)
}

/** The server's `optimizeEmptyRequests`: a request that says nothing of a body is one that has ended, without events. */
export function closeEmpty(request: Incoming): void {
  const names = request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  if (names.includes('content-length') || names.includes('transfer-encoding')) return
  request._dumpAndCloseReadable()
  request._read(0)
}
