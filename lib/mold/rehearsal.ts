/**
 * One small request after another is served in the mold, before anything is forked: what V8 compiles on the way, and
 * what Node loads when it is first needed, each child finds ready instead of doing it again before its first answer.
 *
 * Nothing of the app takes part: the server is our own, and made as every app makes it, or V8 would take the app's for
 * something else. Where somebody watches every request or socket of the process (by diagnostics_channel, or by wrapping
 * `emit`), nothing is rehearsed.
 */
import { hasSubscribers } from 'node:diagnostics_channel'
import { lookup } from 'node:dns'
import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import net from 'node:net'
import { attach } from '../http/attach.ts'

/** From the second on V8 knows the shapes of what it sees. */
const TIMES = 3
const HOST = '127.0.0.1'
const REQUEST = 'GET / HTTP/1.1\r\nHost: mold\r\nConnection: close\r\n\r\n'
const WATCHED = ['http.server.request.start', 'net.server.socket', 'net.client.socket']

/** Taken before the app is loaded, and before `listen` is recorded. */
export class Rehearsal {
  readonly #listen = net.Server.prototype.listen
  readonly #connect = net.Socket.prototype.connect

  /** Leaves nothing open. Gives up quietly where there is no loopback interface: it only saves time. */
  async run(): Promise<void> {
    const server = createServer((_, res) => res.end('{}'))
    if (server.emit !== EventEmitter.prototype.emit || WATCHED.some((name) => hasSubscribers(name))) return
    attach(server)
    try {
      // As most apps listen: with the name of a host, which Node looks up even where it is an address.
      Reflect.apply(this.#listen, server, [{ port: 0, host: HOST }])
      await Promise.all([once(server, 'listening'), new Promise((resolve) => lookup(HOST, resolve))])
      for (let n = 0; n < TIMES; n++) await this.#ask(server)
    } catch {
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  }

  async #ask(server: Server): Promise<void> {
    const { port } = server.address() as net.AddressInfo
    const socket = new net.Socket()
    Reflect.apply(this.#connect, socket, [{ host: HOST, port }])
    socket.resume().end(REQUEST)
    await once(socket, 'close')
  }
}
