/**
 * A server that keeps Node's own protocol code: what it is doing, how to drain it, how to cut it. It looks at
 * `server.emit`, because a listener for `upgrade` or `checkContinue` would change what Node does.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Http2Session, ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import tls from 'node:tls'
import { type Counts, countStatus } from './counts.ts'
import type { Family } from './listen.ts'
import type { Served } from './serve.ts'

type Emit = (event: string | symbol, ...args: unknown[]) => boolean

/** `arrived` is called for each request, after it was counted. */
export const track = (server: Server, family: Family, counts: Counts, arrived: () => void): Served => {
  const sockets = new Set<Socket>()
  const streams = new Set<Socket>()
  const answers = new Set<ServerResponse>()
  const sessions = new Set<Http2Session>()
  let draining = false
  let idleOver = false
  let settle: (() => void) | null = null

  const look = () => {
    if (idleOver) (server as Partial<HttpServer>).closeIdleConnections?.()
    if (draining && sockets.size === 0) settle?.()
  }
  const began = () => {
    counts.requests += 1
    counts.inFlight += 1
    arrived()
  }
  const ended = (status: number | undefined) => {
    counts.inFlight -= 1
    if (status !== undefined) countStatus(counts, status)
  }
  const connected = (socket: Socket) => {
    sockets.add(socket)
    // Nobody knows where a message of another protocol ends.
    if (family === 'net') streams.add(socket)
    counts.connections += 1
    socket.once('close', () => {
      sockets.delete(socket)
      streams.delete(socket)
      counts.connections -= 1
      look()
    })
  }
  const requested = (response: ServerResponse) => {
    // A `checkContinue` listener hands the request on by emitting `request` itself.
    if (answers.has(response)) return
    answers.add(response)
    if (draining) lastOnConnection(response)
    began()
    response.once('close', () => {
      answers.delete(response)
      ended(response.headersSent ? response.statusCode : undefined)
      // Node takes the connection for idle one step after the answer has ended.
      setImmediate(look)
    })
  }
  const opened = (stream: ServerHttp2Stream) => {
    began()
    stream.once('close', () => {
      const status = stream.sentHeaders?.[':status']
      ended(typeof status === 'number' ? status : undefined)
    })
  }
  const joined = (session: Http2Session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    if (draining) session.close()
  }

  const arrival = server instanceof tls.Server ? 'secureConnection' : 'connection'
  const emit = server.emit as Emit
  server.emit = function (this: Server, event: string | symbol, ...args: unknown[]) {
    if (event === arrival) connected(args[0] as Socket)
    else if (event === 'request' || event === 'checkContinue' || event === 'checkExpectation') {
      if ((args[0] as IncomingMessage).httpVersionMajor < 2) requested(args[1] as ServerResponse)
    } else if (event === 'upgrade' || event === 'connect') streams.add(args[1] as Socket)
    else if (event === 'stream') opened(args[0] as ServerHttp2Stream)
    else if (event === 'session') joined(args[0] as Http2Session)
    return Reflect.apply(emit, this, [event, ...args])
  } as typeof server.emit

  return {
    active: () => answers.size + streams.size + sessions.size,
    connections: () => sockets.size,
    drain: (idle) =>
      new Promise((resolve) => {
        draining = true
        settle = resolve
        for (const answer of answers) lastOnConnection(answer)
        for (const session of sessions) session.close()
        setTimeout(() => {
          idleOver = true
          look()
        }, idle).unref()
        look()
      }),
    endStreams: () => {
      for (const socket of streams) socket.destroySoon()
      for (const answer of answers) if (isEventStream(answer)) answer.socket?.destroySoon()
    },
    cut: () => {
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
    },
  }
}

const lastOnConnection = (answer: ServerResponse): void => {
  if (!answer.headersSent) answer.shouldKeepAlive = false
}

const isEventStream = (answer: ServerResponse): boolean =>
  answer.headersSent && String(answer.getHeader('content-type')).startsWith('text/event-stream')
