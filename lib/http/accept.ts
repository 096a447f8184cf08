/** How connections come in: sockets of our own making where that can be, and through TLS where it was asked for. */
import diagnostics from 'node:diagnostics_channel'
import net from 'node:net'
import tls from 'node:tls'
import type { Handle, ServerSocket } from './node.ts'
import { ProxyReader, showClient } from './proxy/proxied.ts'
import type { Endpoint } from './proxy/proxy-protocol.ts'
import type { Service } from './service.ts'
import { socketFor } from './socket.ts'
import type { TlsOptions } from './tls.ts'

const socketChannel = diagnostics.channel('net.server.socket')

/** How long a client may take for its PROXY header and the TLS handshake. */
const HANDSHAKE = 30_000

/** Takes the connections of the server's handle; to be called each time that it listens. */
export function acceptConnections(service: Service, front: net.Server | null): void {
  const { server } = service
  const handle = server._handle
  const accept = handle?.onconnection
  if (!handle || !accept || (server instanceof tls.Server && front === null)) return
  handle.onconnection = function (status, client) {
    // What is asked of connections that only Node does, it shall do.
    const { maxConnections, _connections, blockList, pauseOnConnect } = server
    const full = maxConnections != null && _connections >= maxConnections
    if (status || full || blockList || pauseOnConnect || !client.useUserBuffer) {
      accept.call(this, status, client)
    } else if (front !== null) {
      shakeHands(service, front, client)
    } else {
      const socket = socketFor(server, client)
      server.emit('connection', socket)
      if (socketChannel.hasSubscribers) socketChannel.publish({ socket })
    }
  }
}

/** A TLS server that listens nowhere: connections are given to it, and it gives them to the app's server. */
export function frontOf({ server }: Service, options: TlsOptions): tls.Server {
  const { secureContext, ...rest } = options
  const front = tls.createServer({ ...rest, ALPNProtocols: ['http/1.1'], handshakeTimeout: HANDSHAKE })
  if (secureContext !== undefined) useContext(front, secureContext, rest.ticketKeys)
  front.on('secureConnection', (socket) => server.emit('connection', socket))
  front.on('tlsClientError', (_error, socket) => socket.destroy())
  return front
}

/** Node takes options and makes a context of its own; the member is where it keeps that, in all versions so far. */
function useContext(front: tls.Server, context: tls.SecureContext, ticketKeys: Buffer | undefined): void {
  Object.assign(front, { _sharedCreds: context })
  if (ticketKeys !== undefined) front.setTicketKeys(ticketKeys)
}

/** Who stands behind a proxy, by the socket under the TLS one. */
const clients = new WeakMap<object, Endpoint>()

/** A TLS socket tells of the client that its PROXY header named. */
export function showProxied(socket: ServerSocket): void {
  const client = clients.get((socket as { _parent?: object })._parent ?? socket)
  if (client !== undefined) showClient(socket, client)
}

function shakeHands(service: Service, front: net.Server, handle: Handle): void {
  const { server, handshaking } = service
  const raw = new net.Socket({ handle } as net.SocketConstructorOpts) as ServerSocket
  if (server.noDelay) raw.setNoDelay(true)
  server._connections++
  raw._server = server
  handshaking.add(raw)
  raw.once('close', () => {
    handshaking.delete(raw)
    service.onGone?.()
  })
  if (service.options.proxy === undefined) front.emit('connection', raw)
  else
    readProxyHeader(raw, new ProxyReader(service.options.proxy, raw.remoteAddress ?? null), () =>
      front.emit('connection', raw),
    )
}

/** TLS begins behind the header. What is wrong with it cannot be said to a client that expects a handshake. */
function readProxyHeader(raw: ServerSocket, reader: ProxyReader, proceed: () => void): void {
  // A timeout of the socket would begin anew with each byte.
  const timer = setTimeout(() => raw.destroy(), HANDSHAKE).unref()
  raw.once('close', () => clearTimeout(timer))
  raw.on('error', () => {})
  raw.on('end', () => raw.destroy())
  raw.on('readable', function look() {
    const chunk: Buffer | null = raw.read()
    if (chunk === null) return
    const rest = reader.read(chunk)
    if (rest === null) return
    raw.removeListener('readable', look)
    raw.removeAllListeners('end')
    clearTimeout(timer)
    if (!Buffer.isBuffer(rest)) {
      raw.destroy()
      return
    }
    if (reader.client !== null) clients.set(raw, reader.client)
    if (rest.length > 0) raw.unshift(rest)
    proceed()
  })
}
