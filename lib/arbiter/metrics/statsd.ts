/** Sends metrics to a statsd server every second. Nothing waits for it, and one that is not there is reported once. */
import { createSocket } from 'node:dgram'
import type { Config } from '../../config/settings.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Log } from '../../log/log.ts'
import type { Snapshot } from '../../metrics/snapshot.ts'
import { statsdPackets } from '../../metrics/statsd.ts'

const EVERY = 1_000

export type Statsd = {
  /** Sends what has happened since the last time, and ends. */
  close(): void
}

type Collector = NonNullable<Config['statsdHost']>
type Send = (packet: string) => void

/** Null where no server is set. */
export function startStatsd(config: Config, kernel: Kernel, log: Log, snapshot: () => Snapshot): Statsd | null {
  const { statsdHost, statsdPrefix, dogstatsdTags } = config
  if (statsdHost === null) return null
  const options = { prefix: statsdPrefix ?? '', tags: dogstatsdTags ?? '' }
  let troubled = false
  const failed = (error: Error): void => {
    if (!troubled) log.warning('statsd cannot be reached', { error: error.message })
    troubled = true
  }
  const { send, close } = sender(statsdHost, kernel, failed)
  let before = snapshot()
  const tell = (): void => {
    const now = snapshot()
    for (const packet of statsdPackets(before, now, options)) send(packet)
    before = now
  }
  const timer = setInterval(tell, EVERY).unref()
  return {
    close() {
      clearInterval(timer)
      tell()
      close()
    },
  }
}

function sender(to: Collector, kernel: Kernel, failed: (error: Error) => void): { send: Send; close(): void } {
  if (to.kind === 'unix') {
    return { send: guarded((packet) => kernel.notify(to.path, packet), failed), close: () => undefined }
  }
  const socket = createSocket(to.host.includes(':') ? 'udp6' : 'udp4')
  socket.on('error', failed)
  socket.unref()
  const report = (error: Error | null): void => {
    if (error) failed(error)
  }
  return {
    send: guarded((packet) => socket.send(packet, to.port, to.host, report), failed),
    // In the next turn: what was just sent is handed to the kernel first.
    close: () => void setImmediate(() => socket.close()),
  }
}

const guarded =
  (send: Send, failed: (error: Error) => void): Send =>
  (packet) => {
    try {
      send(packet)
    } catch (error) {
      failed(error as Error)
    }
  }
