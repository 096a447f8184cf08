/** What Node's own server makes of the same bytes: a real `http.Server` on a Duplex, no socket. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { Duplex } from 'node:stream'

export type NodeRequest = {
  readonly method: string
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly upgrade: boolean
  body: string
  trailers: readonly string[]
  complete: boolean
}

export type ByNode = {
  readonly requests: NodeRequest[]
  /** The code of its `clientError`, or null. */
  error: string | null
}

/** All bytes at once, then the client's end. Host is not required. */
export async function byNode(bytes: Buffer): Promise<ByNode> {
  const result: ByNode = { requests: [], error: null }
  const server = serverFor(result)
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), allowHalfOpen: true })
  const closed = new Promise<void>((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  server.emit('connection', socket)
  socket.push(bytes)
  socket.push(null)
  await closed
  server.closeAllConnections()
  return result
}

function serverFor(result: ByNode): Server {
  const server = createServer({ requireHostHeader: false })
  Object.assign(server, { httpAllowHalfOpen: true })
  const take = (request: IncomingMessage): NodeRequest => {
    const { method, url, rawHeaders } = request
    const taken = { method: method!, target: url!, rawHeaders, upgrade: false, body: '', trailers: [], complete: false }
    result.requests.push(taken)
    return taken
  }
  const serve = (request: IncomingMessage, response: { end(): void }) => {
    const taken = take(request)
    request.setEncoding('latin1')
    request.on('data', (text: string) => {
      taken.body += text
    })
    request.on('end', () => {
      taken.complete = true
      taken.trailers = request.rawTrailers
      response.end()
    })
    request.on('error', () => {})
  }
  const tunnel = (request: IncomingMessage, socket: Duplex) => {
    const taken = take(request)
    Object.assign(taken, { upgrade: true, complete: true })
    socket.destroy()
  }
  server.on('request', serve).on('checkContinue', serve).on('checkExpectation', serve)
  server.on('upgrade', tunnel).on('connect', tunnel)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    result.error = error.code ?? error.message
    socket.destroy()
  })
  return server
}
