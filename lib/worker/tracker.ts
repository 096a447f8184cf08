/**
 * A server that keeps Node's own protocol code: what it is doing, how to drain it, how to cut it. It looks at
 * `server.emit`, because a listener for `upgrade` or `checkContinue` would change what Node does.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Http2Session, ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import tls from 'node:tls'
import { ms } from '../units.ts'
import { type Counts, countStatus } from './counts.ts'
import type { Family } from './listen.ts'
import type { Responded, Served } from './serve.ts'

type Emit = (event: string | symbol, ...args: unknown[]) => boolean

/** Told of each request after it was counted, and of its response when it is over. */
export type Hearing = { readonly arrived: () => void; readonly responded: Responded }

export const track = (server: Server, family: Family, counts: Counts, { arrived, responded }: Hearing): Served => {
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
  const requested = (request: IncomingMessage, response: ServerResponse) => {
    // A `checkContinue` listener hands the request on by emitting `request` itself.
    if (answers.has(response)) return
    answers.add(response)
    if (draining) lastOnConnection(response)
    began()
    if (responded) report(request, response, responded)
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
      if ((args[0] as IncomingMessage).httpVersionMajor < 2)
        requested(args[0] as IncomingMessage, args[1] as ServerResponse)
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

/** Target and address are taken at the beginning: an app may rewrite the one, a closed socket has forgotten the other. */
const report = (request: IncomingMessage, response: ServerResponse, responded: NonNullable<Responded>): void => {
  const { socket, url: target = '' } = request
  const start = performance.now()
  const before = socket.bytesWritten
  let done = false
  const over = () => {
    if (done) return
    done = true
    const duration = ms(performance.now() - start)
    const bytes = socket.bytesWritten - before
    responded({ request, response, target, bytes, duration, aborted: !response.writableFinished })
  }
  void socket.remoteAddress
  // An app may exit as soon as its answer is sent; without an answer there is only 'close'.
  response.once('finish', over).once('close', over)
}

const lastOnConnection = (answer: ServerResponse): void => {
  if (!answer.headersSent) answer.shouldKeepAlive = false
}

const isEventStream = (answer: ServerResponse): boolean =>
  answer.headersSent && String(answer.getHeader('content-type')).startsWith('text/event-stream')
