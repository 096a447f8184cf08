/** What Node's own server makes of the same bytes: a real `http.Server` on a Duplex, no socket. */
import { createServer, type Server } from 'node:http'
import { Duplex } from 'node:stream'
import { type Recorded, record } from './recorded.ts'

export type ByNode = {
  readonly requests: Recorded[]
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
  record(server, () => result)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    result.error = error.code ?? error.message
    socket.destroy()
  })
  return server
}
