/** Who speaks the protocol of a server that the app listens with. The one place that knows which engine does. */
import type { Server as HttpServer } from 'node:http'
import type { Server } from 'node:net'
import tls from 'node:tls'
import { attach } from '../http/attach.ts'
import type { DrainOptions, EngineOptions, ResponseRecord } from '../http/engine.ts'
import type { TlsOptions } from '../http/tls.ts'
import type { Family } from './listen/listen.ts'
import { type Counts, sumOf } from './responses/counts.ts'
import { shareTickets } from './tickets.ts'
import { track } from './tracker.ts'

/** One server of the app while it is served. */
export type Served = {
  counts(): Counts
  /** From now on every answer is the last one on its connection. Settles when no connection is left. */
  drain(options: DrainOptions): Promise<void>
  /** Before the process exits: reports the responses that are not over. */
  reportOpen(): void
  /** When it has drained: as at first, for another life of the process. */
  renew(): void
  /** Another key for session tickets, where it speaks TLS in front of the server. */
  renewTls?(options: { readonly ticketKeys: Buffer }): void
}

export type Responded = ((record: ResponseRecord) => void) | null

export type ServersOptions = {
  readonly engine: EngineOptions
  /** Told of each response, where anybody wants to know. */
  readonly responded: Responded
  /** One line for the log. */
  readonly warn: (text: string) => void
}

export class Servers {
  readonly #served = new Map<Server, Served>()
  #options: ServersOptions
  readonly #said = new Set<string>()
  /** The key of TLS session tickets that all workers share, if there is one; in base64. */
  #tickets: string | null = null
  #tls: TlsOptions | null = null
  /** Some of them. */
  #speakTls = false
  /** The same for all lives: servers have it from the first. */
  readonly #responded: Responded

  constructor(options: ServersOptions) {
    this.#options = options
    this.#responded = options.responded && ((record) => this.#options.responded?.(record))
  }

  /** When all have drained: another life of the process, with its own options. What the engine does stays as it is. */
  renew(options: ServersOptions): void {
    this.#options = options
    if (this.#tls !== null) this.useTls(this.#tls)
    for (const served of this.#served.values()) served.renew()
  }

  /** What stands in front of servers that are adopted from now on, in this life and the next. */
  useTls(tls: TlsOptions): void {
    this.#tls = tls
    this.#options = { ...this.#options, engine: { ...this.#options.engine, tls } }
  }

  /** Called before a server accepts its first connection, and again when it listens anew. */
  adopt(server: Server, family: Family): void {
    if (this.#served.has(server)) return
    const { engine } = this.#options
    const responded = this.#responded
    const speaksTls = engine.tls !== undefined || server instanceof tls.Server
    this.#speakTls ||= speaksTls
    const ticketKeys = speaksTls && this.#tickets !== null ? keysOf(this.#tickets) : null
    if (ticketKeys !== null) shareTickets(server, ticketKeys)
    if (family === 'http2') this.#say("the app's http2 server keeps Node's own HTTP parser")
    if (family !== 'http') {
      this.#served.set(server, track(server, family, responded, engine.onRequest))
      return
    }
    const leniency = leniencyOf(server as Lenient)
    if (leniency !== null) this.#say(`${leniency} is ignored: monoceros has a parser of its own, which is strict`)
    const options = {
      ...engine,
      ...(engine.tls && ticketKeys && { tls: { ...engine.tls, ticketKeys } }),
      ...(responded && { onResponse: responded }),
    }
    this.#served.set(server, attach(server as HttpServer, options))
  }

  /** Another key for the session tickets of connections to come, in base64. */
  renewTickets(tickets: string): void {
    this.#tickets = tickets
    if (!this.#speakTls) return
    const ticketKeys = keysOf(tickets)
    for (const [server, served] of this.#served) {
      shareTickets(server, ticketKeys)
      served.renewTls?.({ ticketKeys })
    }
  }

  /** Of all servers together. */
  counts(): Counts {
    return sumOf([...this.#served.values()].map((served) => served.counts()))
  }

  /** Settles when no connection is left. */
  async drain(options: DrainOptions): Promise<void> {
    await Promise.all([...this.#served.values()].map((served) => served.drain(options)))
  }

  /** Before the process exits: no response goes without its line. */
  reportOpen(): void {
    for (const served of this.#served.values()) served.reportOpen()
  }

  #say(text: string): void {
    if (this.#said.has(text)) return
    this.#said.add(text)
    this.#options.warn(text)
  }
}

const keysOf = (tickets: string): Buffer => Buffer.from(tickets, 'base64')

type Lenient = Server & { readonly insecureHTTPParser?: boolean; readonly httpValidation?: string }

const FLAG = '--insecure-http-parser'

/** What asks for a lenient parser, if there is one; Node 24 has a second. */
function leniencyOf({ insecureHTTPParser, httpValidation }: Lenient): string | null {
  if (httpValidation === 'relaxed' || httpValidation === 'insecure') return "httpValidation of the app's server"
  if (insecureHTTPParser) return "insecureHTTPParser of the app's server"
  const isSet = process.execArgv.includes(FLAG) || process.env.NODE_OPTIONS?.split(' ').includes(FLAG) === true
  return isSet && insecureHTTPParser === undefined ? FLAG : null
}
