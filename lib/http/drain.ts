/** The end of a server's connections, without losing a request that is on its way. */
import type net from 'node:net'
import type { Connection } from './connection.ts'
import type { DrainOptions } from './engine.ts'
import type { Service } from './service.ts'
import { deadline } from './timeouts.ts'

/** How long a handshake that has begun may take when the time for idle connections is over (milliseconds). */
const HANDSHAKE_GRACE = 1000

/** See `Engine.drain`. */
export function drain(service: Service, { idle, streams }: DrainOptions): Promise<void> {
  const now = service.now()
  service.drainIdleAt = Math.min(service.drainIdleAt ?? Number.POSITIVE_INFINITY, now + idle)
  for (const connection of service.connections) {
    announceEnd(connection)
    service.sweep.arm(deadline(connection))
  }
  const later = (what: () => void, time: number) =>
    service.scope.runInAsyncScope(() => setTimeout(() => setImmediate(what), time).unref())
  const timers = [
    later(() => endStreams(service), streams),
    later(() => endHandshakes(service, (raw) => raw.bytesRead === 0), idle),
    later(() => endHandshakes(service, () => true), idle + HANDSHAKE_GRACE),
  ]
  return new Promise((resolve) => {
    const settle = () => {
      if (service.connections.size + service.upgraded.size + service.lingering.size + service.handshaking.size > 0)
        return
      for (const timer of timers) clearTimeout(timer)
      resolve()
    }
    const before = service.onGone
    service.onGone = () => {
      before?.()
      settle()
    }
    settle()
  })
}

/** The newest request in flight is the connection's last, if its response can still say so. */
function announceEnd(connection: Connection): void {
  const newest = connection.waiting.at(-1) ?? connection.response
  if (newest === null || newest.headersSent) return
  newest.shouldKeepAlive = false
  connection.endAfterThis()
}

/** Those that speak TLS by now are connections like others, or the app's own; the rest has said nothing that could be answered. */
function endHandshakes({ handshaking, connections, upgraded }: Service, which: (raw: net.Socket) => boolean): void {
  const speaking = [...[...connections].map(({ socket }) => socket), ...upgraded]
  const spoken = new Set(speaking.map((socket) => (socket as { _parent?: object })._parent))
  for (const raw of handshaking) if (!spoken.has(raw) && which(raw)) raw.destroy()
}

/** What has begun and does not end: upgraded connections, and responses whose head is out. */
function endStreams(service: Service): void {
  for (const socket of service.upgraded) socket.destroySoon()
  for (const { socket, response } of service.connections) {
    if (response?.headersSent) socket.destroySoon()
  }
}
