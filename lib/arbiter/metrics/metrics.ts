/** Gathers what the metrics say: from shared memory, /proc and what the arbiter has counted. Asks no worker anything. */
import { COLUMN } from '../../channel/heartbeat.ts'
import { formatAddress } from '../../config/address.ts'
import type { Log } from '../../log/log.ts'
import { CONTENT_TYPE, exposition } from '../../metrics/exposition.ts'
import type { Snapshot, WorkerSample } from '../../metrics/snapshot.ts'
import { countIn, totalsOf } from '../../metrics/totals.ts'
import { stateWord } from '../../supervision/describe.ts'
import { pidOf } from '../../supervision/life.ts'
import type { Member, Pool } from '../../supervision/pool.ts'
import { acceptQueues } from '../../system/accept-queues.ts'
import { processStat } from '../../system/processes.ts'
import { VERSION } from '../../version.ts'
import type { Heartbeats } from '../heartbeats.ts'
import type { Listeners } from '../listeners/listeners.ts'
import { isHealthy, statusOf } from '../service-manager.ts'
import { PAGE, TICKS } from '../status.ts'
import type { Notice } from '../surroundings.ts'
import type { Workers } from '../workers.ts'
import type { Routes } from './scrape.ts'

export type MetricsParts = {
  readonly pool: () => Pool
  readonly workers: Workers
  readonly heartbeats: Heartbeats
  readonly listeners: Listeners
  readonly log: Log
}

const TEXT = 'text/plain; charset=utf-8'
const STATES = ['STARTING', 'RUNNING', 'STOPPING', 'BACKOFF', 'FATAL', 'STOPPED', 'EXITED'] as const
const CAUSES = ['exited', 'spawnFailed', 'spawnTimeout', 'bootTimeout', 'silent'] as const

/** What has been counted, for another image of this process. */
export type PackedMetrics = {
  /** Seconds since 1970. */
  readonly started: number
  readonly troubles: Readonly<Record<string, number>>
  readonly reloads: { readonly succeeded: number; readonly failed: number }
}

export class Metrics {
  readonly #parts: MetricsParts
  readonly #started: number
  readonly #troubles: Record<string, number>
  readonly #reloads: { succeeded: number; failed: number }

  constructor(parts: MetricsParts, packed: PackedMetrics | null) {
    this.#parts = parts
    this.#started = packed?.started ?? Date.now() / 1000
    this.#troubles = { ...zeros(CAUSES), ...packed?.troubles }
    this.#reloads = packed ? { ...packed.reloads } : { succeeded: 0, failed: 0 }
  }

  pack(): PackedMetrics {
    return { started: this.#started, troubles: this.#troubles, reloads: this.#reloads }
  }

  /** Counts what has happened. */
  noticed(notice: Notice): void {
    if (notice.kind === 'reloaded') this.#reloads.succeeded += 1
    else if (notice.kind === 'reloadFailed') this.#reloads.failed += 1
    else if (notice.kind === 'moved') {
      const { trouble } = notice.to
      if (trouble !== null && trouble !== notice.from.trouble) {
        this.#troubles[trouble.kind] = (this.#troubles[trouble.kind] ?? 0) + 1
      }
    }
  }

  snapshot(): Snapshot {
    const { pool, workers, heartbeats, listeners, log } = this.#parts
    const { mode, members, size, generation } = pool()
    const states = zeros(STATES)
    for (const { life } of members) states[stateWord(life)]! += 1
    const rows = [...workers.all()].map(({ cell }) => cell.values)
    return {
      version: VERSION,
      node: process.version,
      started: this.#started,
      wanted: size,
      generation,
      states,
      restarts: { ...this.#troubles },
      reloads: { ...this.#reloads },
      totals: totalsOf([heartbeats.retired, ...rows]),
      workers: members.flatMap((member) => this.#sample(member)),
      // When we stop, the listeners are the workers' alone.
      listeners: mode === 'running' || mode === 'drained' ? queuesOf(listeners) : [],
      logged: { ...log.counts },
    }
  }

  /** What `metricsBind` serves. */
  routes(): Routes {
    return {
      '/metrics': () => ({ status: 200, type: CONTENT_TYPE, body: exposition(this.snapshot()) }),
      '/live': () => ({ status: 200, type: TEXT, body: 'alive\n' }),
      '/ready': () => {
        const pool = this.#parts.pool()
        const serves = pool.mode === 'running' && pool.proven && isHealthy(pool)
        return {
          status: serves ? 200 : 503,
          type: TEXT,
          body: `${serves ? statusOf(pool) : `not ready: ${pool.mode}`}\n`,
        }
      },
    }
  }

  #sample({ key, life }: Member): WorkerSample[] {
    const pid = pidOf(life)
    const values = pid === null ? undefined : this.#parts.workers.get(pid)?.cell.values
    if (pid === null || values === undefined) return []
    const stat = processStat(pid)
    return [
      {
        slot: key.slot,
        generation: key.generation,
        inFlight: countIn(values, COLUMN.inFlight),
        connections: countIn(values, COLUMN.connections),
        lag: countIn(values, COLUMN.lag),
        rss: stat === null ? null : stat.rssPages * PAGE,
        cpu: stat === null ? null : (stat.userTicks + stat.systemTicks) / TICKS,
      },
    ]
  }
}

function queuesOf(listeners: Listeners): Snapshot['listeners'] {
  const open = listeners.all()
  const queues = acceptQueues(open.map(({ fd }) => fd))
  return open.flatMap(({ fd, address }) => {
    const queued = queues.get(fd)
    return queued === undefined ? [] : [{ address: formatAddress(address), queued }]
  })
}

const zeros = (names: readonly string[]): Record<string, number> => Object.fromEntries(names.map((name) => [name, 0]))
