/** How workers are told to leave: step by step (`../supervision/ladder.ts`), by message where they hear, else by signal. */
import type { ToWorker } from '../channel/messages.ts'
import type { Signal } from '../kernel/kernel.ts'
import type { How } from '../supervision/ladder.ts'
import type { Pool, PoolPolicy } from '../supervision/pool.ts'
import { type Ms, ms, type Pid } from '../units.ts'
import type { Molds } from './molds/molds.ts'
import type { Workers } from './workers.ts'

const SIGNAL = { terminate: 'SIGTERM', abort: 'SIGABRT', kill: 'SIGKILL' } as const satisfies Partial<
  Record<How, Signal>
>

/** How one that the pool does not know is told to leave, and when it is ended. */
export type Farewell = { readonly order: ToWorker; readonly until: Ms }

type LeavingParts = {
  readonly workers: Pick<Workers, 'tell' | 'signal' | 'ringAlarm'>
  readonly molds: Pick<Molds, 'promotions' | 'reserve'>
  readonly pool: () => Pool
  readonly policy: () => PoolPolicy
  /** `stopDelay` of the workers that are there. */
  readonly stopDelay: () => Ms
}

export class Leaving {
  readonly #parts: LeavingParts
  /** Nobody is waited for longer than a quick stop takes. */
  isQuick = false

  constructor(parts: LeavingParts) {
    this.#parts = parts
  }

  /** One step of a worker's end. One that cannot hear any more, though it should, is told by signal. */
  tell(pid: Pid, how: How): void {
    const { workers, molds, pool } = this.#parts
    if (how !== 'stack') molds.reserve.revokeOf(pid)
    switch (how) {
      case 'drain':
      case 'quit':
        if (how === 'drain') molds.promotions.draining(pid, pool())
        if (!workers.tell(pid, how === 'quit' ? { kind: 'quit' } : this.#drain())) workers.signal(pid, 'SIGTERM')
        return
      case 'stack':
        return workers.ringAlarm(pid)
      default:
        return workers.signal(pid, SIGNAL[how])
    }
  }

  farewell(now: Ms): Farewell {
    const { gracefulTimeout, quickTimeout } = this.#parts.policy().life
    if (this.isQuick) return { order: { kind: 'quit' }, until: ms(now + quickTimeout) }
    return { order: this.#drain(), until: ms(now + gracefulTimeout) }
  }

  #drain(): Extract<ToWorker, { kind: 'drain' }> {
    const { pool, policy, stopDelay } = this.#parts
    const stopping = pool().mode === 'stopping'
    return { kind: 'drain', within: policy().life.gracefulTimeout, stopping, after: stopping ? stopDelay() : 0 }
  }
}
