/** The end of a server's connections, without losing a request that is on its way. */
import type { Connection } from './connection.ts'
import type { DrainOptions } from './engine.ts'
import type { Service } from './service.ts'
import { deadline } from './timeouts.ts'

/** See `Engine.drain`. */
export function drain(service: Service, { idle, streams }: DrainOptions): Promise<void> {
  const now = service.now()
  service.drainIdleAt = Math.min(service.drainIdleAt ?? Number.POSITIVE_INFINITY, now + idle)
  for (const connection of service.connections) {
    announceEnd(connection)
    service.sweep.arm(deadline(connection))
  }
  const timer = service.scope.runInAsyncScope(() => setTimeout(() => endStreams(service), streams))
  timer.unref()
  return new Promise((resolve) => {
    const settle = () => {
      if (service.connections.size + service.upgraded.size + service.lingering.size + service.handshaking.size > 0)
        return
      clearTimeout(timer)
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

/** What has begun and does not end: upgraded connections, and responses whose head is out. */
function endStreams(service: Service): void {
  for (const socket of service.upgraded) socket.destroySoon()
  for (const { socket, response } of service.connections) {
    if (response?.headersSent) socket.destroySoon()
  }
}
