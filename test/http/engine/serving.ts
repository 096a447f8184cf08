/** Servers with the engine attached, closed after each test. */
import { once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import { attach } from '../../../lib/http/attach.ts'
import type { Engine, EngineOptions } from '../../../lib/http/engine.ts'

const servers = new Set<http.Server>()

afterEach(async () => {
  for (const server of servers) {
    servers.delete(server)
    server.closeAllConnections()
    if (server.listening) await once(server.close(), 'close')
  }
})

export type Serving = { readonly server: http.Server; readonly engine: Engine; readonly port: number }

/** Listens on a port of its own. */
export async function serve(
  listener: http.RequestListener,
  options: EngineOptions = {},
  server: http.Server = http.createServer(),
): Promise<Serving> {
  server.on('request', listener)
  const engine = attach(server, options)
  const { port } = await listening(server)
  return { server, engine, port }
}

/** Listens on a port of its own, with whatever is attached. */
export async function listening(server: http.Server): Promise<{ port: number }> {
  await listeningAt(server, { port: 0, host: '127.0.0.1' })
  return { port: (server.address() as net.AddressInfo).port }
}

/** Listens there, with whatever is attached. */
export async function listeningAt(server: http.Server, where: net.ListenOptions): Promise<void> {
  servers.add(server)
  await once(server.listen(where), 'listening')
}

/** The bytes of a GET. */
export const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

export const LAST = 'Connection: close\r\n'
