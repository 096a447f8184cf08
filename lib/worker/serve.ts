/** Who speaks the protocol of a server that the app listens with. The one place that knows which engine does. */
import type { Server } from 'node:net'
import type { ResponseRecord } from '../http/engine.ts'
import type { Ms } from '../units.ts'
import { type Counts, newCounts } from './counts.ts'
import type { Family } from './listen.ts'
import { track } from './tracker.ts'

/** One server of the app while it is served. */
export type Served = {
  /** Connections with a request, a stream or an upgrade on them. */
  active(): number
  connections(): number
  /**
   * From now on every answer is the last one on its connection; idle connections are kept for `idle`. Settles when no
   * connection is left.
   */
  drain(idle: Ms): Promise<void>
  /** Ends what has no end of its own: WebSockets, CONNECT tunnels, server-sent events. */
  endStreams(): void
  /** Destroys all connections. */
  cut(): void
}

export type Responded = ((record: ResponseRecord) => void) | null

export class Servers {
  readonly counts: Counts = newCounts()
  readonly #served = new Map<Server, Served>()
  readonly #warn: (text: string) => void
  readonly #arrived: () => void
  readonly #responded: Responded
  #saidHttp2 = false

  /** `arrived`: a request was counted. `responded`, where anybody wants to know: its response is sent. */
  constructor(hear: { arrived(): void; responded: Responded; warn(text: string): void }) {
    this.#warn = hear.warn
    this.#arrived = hear.arrived
    this.#responded = hear.responded
  }

  /** Called before a server accepts its first connection, and again when it listens anew. */
  adopt(server: Server, family: Family): void {
    if (this.#served.has(server)) return
    if (family === 'http2' && !this.#saidHttp2) {
      this.#saidHttp2 = true
      this.#warn("the app's http2 server keeps Node's own HTTP parser")
    }
    this.#served.set(server, track(server, family, this.counts, { arrived: this.#arrived, responded: this.#responded }))
  }

  all(): readonly Served[] {
    return [...this.#served.values()]
  }
}
