/** What the arbiter says of itself and its workers on the control socket. Times in seconds, memory in bytes. */
import { COLUMN } from '../channel/heartbeat.ts'
import { stateWord } from '../supervision/describe.ts'
import { pidOf } from '../supervision/life.ts'
import type { Member, Pool } from '../supervision/pool.ts'
import { processStat } from '../system/processes.ts'
import type { Ms, Pid } from '../units.ts'
import type { Molds } from './molds/molds.ts'
import type { MoldStatus } from './molds/status.ts'
import type { Workers } from './workers.ts'

export type WorkerStatus = {
  readonly slot: number
  readonly generation: number
  readonly role: Member['role']
  readonly state: string
  readonly pid: number | null
  /** Which of its generation's molds it was forked from, counted from 1; null: from none. */
  readonly mold: number | null
  readonly uptime: number | null
  readonly restart_count: number
  readonly requests: number | null
  readonly in_flight: number | null
  readonly connections: number | null
  /** Resident set in bytes. */
  readonly rss: number | null
  /** Per cent of one CPU since the last time somebody asked, at first since the worker started. */
  readonly cpu: number | null
}

export const PAGE = 4096
/** Ticks a second (USER_HZ, the same on every Linux that Node runs on). */
export const TICKS = 100

/** Keeps the CPU time of the last look, to tell how much was used since. */
export class StatusView {
  readonly #workers: Workers
  readonly #molds: Pick<Molds, 'numberOf' | 'all'>
  readonly #last = new Map<Pid, { readonly ticks: number; readonly at: Ms }>()

  constructor(workers: Workers, molds: Pick<Molds, 'numberOf' | 'all'>) {
    this.#workers = workers
    this.#molds = molds
  }

  get molds(): readonly MoldStatus[] {
    return this.#molds.all
  }

  /** By slot, the serving worker of each first. */
  all(pool: Pool, now: Ms): readonly WorkerStatus[] {
    for (const pid of this.#last.keys()) if (!this.#workers.get(pid)) this.#last.delete(pid)
    return [...pool.members]
      .sort((one, other) => one.key.slot - other.key.slot || other.key.generation - one.key.generation)
      .map((member) => this.#one(member, now))
  }

  #one({ key, role, life }: Member, now: Ms): WorkerStatus {
    const pid = pidOf(life)
    const worker = pid === null ? undefined : this.#workers.get(pid)
    const values = worker?.cell.values
    const stat = pid === null ? null : processStat(pid)
    const born = 'child' in life.phase ? life.phase.child.born : null
    return {
      slot: key.slot,
      generation: key.generation,
      role,
      state: stateWord(life),
      pid,
      mold: worker === undefined ? null : this.#molds.numberOf(worker),
      uptime: born === null ? null : (now - born) / 1000,
      restart_count: life.restarts,
      requests: values?.[COLUMN.requests] ?? null,
      in_flight: values?.[COLUMN.inFlight] ?? null,
      connections: values?.[COLUMN.connections] ?? null,
      rss: stat === null ? null : stat.rssPages * PAGE,
      cpu: stat === null || born === null ? null : this.#cpu(pid!, stat.userTicks + stat.systemTicks, born, now),
    }
  }

  #cpu(pid: Pid, ticks: number, born: Ms, now: Ms): number {
    const last = this.#last.get(pid) ?? { ticks: 0, at: born }
    this.#last.set(pid, { ticks, at: now })
    const seconds = (now - last.at) / 1000
    return seconds > 0 ? ((ticks - last.ticks) / TICKS / seconds) * 100 : 0
  }
}
