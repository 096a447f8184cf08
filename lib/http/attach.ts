/**
 * Takes over the connections of a real `http.Server` or `https.Server`: everything that an app can see stays as under
 * Node's own parser, whose place the engine takes.
 */
import type http from 'node:http'
import type https from 'node:https'
import type net from 'node:net'
import tls from 'node:tls'
import { acceptConnections, frontOf, showProxied } from './accept.ts'
import { Connection } from './connection.ts'
import { drain } from './drain.ts'
import type { Counts, Engine, EngineOptions } from './engine.ts'
import { hear } from './listeners.ts'
import { connectionList, nodeConnectionListener, type Server, type ServerSocket } from './node.ts'
import { reportOpen } from './records.ts'
import { Service } from './service.ts'
import { deadline } from './timeouts.ts'

/** Before or after `listen`; also for subclasses, and what `http.Server.call(this)` made. Once a server. */
export function attach(server: http.Server | https.Server, options: EngineOptions = {}): Engine {
  const service = new Service(server as Server, options)
  const front = frontFor(service)
  // Made now: the first client need not wait for it.
  void service.rules
  takeListenerOver(service)
  service.server[connectionList] = listOf(service)
  const accept = () => acceptConnections(service, front)
  if (server.listening) accept()
  server.on('listening', accept)
  return {
    counts: () => countsOf(service),
    drain: (times) => drain(service, times),
    reportOpen: () => reportOpen(service),
    renew: () => service.renew(),
    renewTls(renewed) {
      if (!(front instanceof tls.Server)) return
      if (renewed.cert !== undefined) front.setSecureContext(renewed)
      if (renewed.ticketKeys) front.setTicketKeys(renewed.ticketKeys)
    },
  }
}

/** What speaks TLS before HTTP begins, where that is not the server's own affair. */
function frontFor(service: Service): net.Server | null {
  const { server, options } = service
  if (server instanceof tls.Server) return options.proxy === undefined ? null : server
  return options.tls === undefined ? null : frontOf(service, options.tls)
}

/** Our listener takes the place of Node's, which is the first of its event. */
function takeListenerOver(service: Service): void {
  const serve = (socket: ServerSocket) => {
    socket.server = service.server
    showProxied(socket)
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

/** What Node's closeIdleConnections() and closeAllConnections() walk. */
function listOf(service: Service): object {
  const sockets = (which: (connection: Connection) => boolean) =>
    [...service.connections].filter(which).map(({ socket }) => ({ socket }))
  return {
    all: () => sockets(() => true),
    active: () => sockets((connection) => !connection.isIdle),
    idle: () => sockets((connection) => connection.isIdle),
    expired: () => [],
  }
}

function countsOf({ connections, upgraded, requests, classes }: Service): Counts {
  let idle = 0
  for (const connection of connections) if (connection.isIdle) idle++
  const all = connections.size + upgraded.size
  return { connections: all, idle, active: all - idle, requests, classes: [...classes] }
}
