/**
 * Requests are served in the mold, before anything is forked: what V8 compiles on the way and learns of shapes, and what
 * Node loads when it is first needed, each child finds ready instead of doing it again before its first answer.
 *
 * Nothing of the app takes part: the server is our own, and made as every app makes it. The client is a bare descriptor:
 * a socket of Node's would have another shape than those that servers have, and V8 would reckon with both ever after.
 * Where somebody watches every request or socket of the process (by diagnostics_channel, or by wrapping `emit`), nothing is
 * rehearsed.
 */
import { Console } from 'node:console'
import { hasSubscribers } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import { writeSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import net from 'node:net'
import { Writable } from 'node:stream'
import { attach } from '../http/attach.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { MoldKernel } from '../kernel/mold-kernel.ts'

type Door = Pick<Kernel, 'close'> & Pick<MoldKernel, 'connectLocally'>

/** As most apps listen: with the name of a host, which Node looks up even where it is an address. */
const HOST = '127.0.0.1'
const REQUEST = 'GET / HTTP/1.1\r\nHost: mold\r\nConnection: close\r\n\r\n'
const WATCHED = ['http.server.request.start', 'net.server.socket']
/** V8 begins to learn of a function after some calls of it; from some more on it would optimize, for this server alone. */
const TIMES = 20
/** Where it has not come to an end by then, in milliseconds, something is in its way. */
const PATIENCE = 1_000

/** Of the last request: V8 forgets what it has learned of shapes that no object has any more. */
const kept: object[] = []

export class Rehearsal {
  readonly #listen = net.Server.prototype.listen
  readonly #createServer = createServer
  readonly #console = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }))

  /**
   * Leaves nothing open, and gives up quietly: it only saves time. To be made before the app is loaded, and before
   * `listen` is recorded.
   */
  async run(door: Door): Promise<void> {
    const server = this.#createServer((req, res) => {
      kept.splice(0, kept.length, req, res, req.socket)
      // Node keeps the date of the second, for all responses.
      res.sendDate = false
      res.setHeader('content-type', 'application/json')
      res.end('{}')
    })
    if (server.emit !== EventEmitter.prototype.emit || WATCHED.some((name) => hasSubscribers(name))) return
    attach(server)
    let timer: NodeJS.Timeout | undefined
    const hindered = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it takes too long')), PATIENCE)
    })
    hindered.catch(() => undefined)
    try {
      const listening = once(server, 'listening')
      Reflect.apply(this.#listen, server, [0, HOST, () => this.#console.log('%s', HOST)])
      await Promise.race([listening, hindered])
      for (let times = 0; times < TIMES; times++) await ask(door, server, hindered)
    } catch {
    } finally {
      clearTimeout(timer)
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    }
  }
}

async function ask(door: Door, server: Server, hindered: Promise<never>): Promise<void> {
  // Listened for beforehand: an answer is finished before whoever awaits the request goes on.
  const answered = new Promise((resolve) => {
    server.once('request', (_, response: ServerResponse) => response.once('finish', resolve))
  })
  const client = door.connectLocally((server.address() as net.AddressInfo).port)
  try {
    writeSync(client, REQUEST)
    await Promise.race([answered, hindered])
  } finally {
    door.close(client)
  }
}
