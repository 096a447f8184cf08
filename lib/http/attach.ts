/**
 * Takes over the connections of a real `http.Server` or `https.Server`: everything that an app can see stays as under
 * Node's own parser, whose place the engine takes.
 */
import diagnostics from 'node:diagnostics_channel'
import type http from 'node:http'
import type https from 'node:https'
import { Connection } from './connection.ts'
import { drain } from './drain.ts'
import type { Counts, Engine, EngineOptions } from './engine.ts'
import { hear } from './listeners.ts'
import { connectionList, nodeConnectionListener, type Server, type ServerSocket } from './node.ts'
import { Service } from './service.ts'
import { socketFor } from './socket.ts'
import { deadline } from './timeouts.ts'

const socketChannel = diagnostics.channel('net.server.socket')

/** Before or after `listen`; also for subclasses, and what `http.Server.call(this)` made. Once a server. */
export function attach(server: http.Server | https.Server, options: EngineOptions = {}): Engine {
  const service = new Service(server as Server, options)
  takeListenerOver(service)
  service.server[connectionList] = listOf(service)
  if (server.listening) acceptDirectly(service.server)
  server.on('listening', () => acceptDirectly(service.server))
  return {
    counts: () => countsOf(service),
    drain: (times) => drain(service, times),
  }
}

/** Our listener takes the place of Node's, which is the first of its event. */
function takeListenerOver(service: Service): void {
  const serve = (socket: ServerSocket) => {
    socket.server = service.server
    const connection = new Connection(service, socket)
    service.connections.add(connection)
    hear(connection)
    service.sweep.arm(deadline(connection))
  }
  for (const event of ['connection', 'secureConnection']) {
    if (!service.server.listeners(event).includes(nodeConnectionListener as never)) continue
    service.server.removeListener(event, nodeConnectionListener as never)
    service.server.prependListener(event, serve)
  }
}

/** Accepted connections get sockets of our own making, unless something is asked of them that only Node does. */
function acceptDirectly(server: Server): void {
  const handle = server._handle
  const accept = handle?.onconnection
  if (!handle || !accept || !server.listeners('connection').some((listener) => listener.name === 'serve')) return
  handle.onconnection = function (status, client) {
    const { maxConnections, _connections, blockList, pauseOnConnect } = server
    const full = maxConnections && _connections >= maxConnections
    if (status || full || blockList || pauseOnConnect || !client.useUserBuffer) return accept.call(this, status, client)
    const socket = socketFor(server, client)
    server.emit('connection', socket)
    if (socketChannel.hasSubscribers) socketChannel.publish({ socket })
  }
}

/** What Node's closeIdleConnections() and closeAllConnections() walk. */
function listOf(service: Service): object {
  const sockets = (which: (connection: Connection) => boolean) =>
    [...service.connections].filter(which).map(({ socket }) => ({ socket }))
  return {
    all: () => sockets(() => true),
    active: () => sockets((connection) => !connection.isIdle),
    idle: () => sockets((connection) => connection.isIdle && connection.started === 0),
    expired: () => [],
  }
}

function countsOf({ connections, upgraded, requests, classes }: Service): Counts {
  let idle = 0
  for (const connection of connections) if (connection.isIdle) idle++
  const all = connections.size + upgraded.size
  return { connections: all, idle, active: all - idle, requests, classes: [...classes] }
}
