/** The end of a server's connections, without losing a request that is on its way. */
import type net from 'node:net'
import type { Connection } from './connection.ts'
import type { DrainOptions } from './engine.ts'
import type { Outgoing, ServerSocket } from './node.ts'
import type { Service } from './service.ts'
import { deadline } from './timeouts.ts'

/** How long a handshake that has begun may take when the time for idle connections is over (milliseconds). */
const HANDSHAKE_GRACE = 1000

/** How long what begins behind the time for streams may go on at least, which may be no stream (milliseconds). */
const LATE_GRACE = 1000

type Later = (what: () => void, time: number) => void

/** See `Engine.drain`. */
export function drain(service: Service, { idle, streams }: DrainOptions): Promise<void> {
  const now = service.now()
  service.drainIdleAt = Math.min(service.drainIdleAt ?? Number.POSITIVE_INFINITY, now + idle)
  for (const connection of service.connections) {
    announceEnd(connection)
    service.sweep.arm(deadline(connection))
  }
  const timers = new Set<NodeJS.Timeout>()
  let settled = false
  const later: Later = (what, time) => {
    if (settled) return
    const fire = () => {
      timers.delete(timer)
      setImmediate(what)
    }
    const timer = service.scope.runInAsyncScope(() => setTimeout(fire, time).unref())
    timers.add(timer)
  }
  later(() => endStreams(service, later), streams)
  later(() => endHandshakes(service, (raw) => raw.bytesRead === 0), idle)
  later(() => endHandshakes(service, () => true), idle + HANDSHAKE_GRACE)
  return new Promise((resolve) => {
    const settle = () => {
      if (service.connections.size + service.upgraded.size + service.lingering.size + service.handshaking.size > 0)
        return
      settled = true
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

/**
 * Ends what has begun and does not end, then what begins while anything is left. What was written is given as long again
 * to leave, since nobody may be reading it; what the app itself has ended leaves however long that takes.
 */
function endStreams(service: Service, later: Later): void {
  let before: ReadonlySet<object> | null = null
  const ended = new Map<object, 'by us' | 'by the app'>()
  const look = () => {
    const streams = streamsOf(service)
    for (const [stream, socket] of streams) {
      if (ended.has(stream)) {
        if (ended.get(stream) === 'by us') socket.destroy()
      } else if (before?.has(stream) !== false) {
        ended.set(stream, stream.writableEnded ? 'by the app' : 'by us')
        socket.destroySoon()
      }
    }
    before = new Set(streams.keys())
    later(look, LATE_GRACE)
  }
  look()
}

/** Upgraded connections, and responses whose head is out. */
function streamsOf({ upgraded, connections }: Service): Map<Outgoing | ServerSocket, ServerSocket> {
  const streams = new Map<Outgoing | ServerSocket, ServerSocket>()
  for (const socket of upgraded) streams.set(socket, socket)
  for (const { socket, response } of connections) if (response?.headersSent) streams.set(response, socket)
  return streams
}
