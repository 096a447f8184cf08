/**
 * Workers that have begun before the one whose place they take was reaped: what the kernel has still to do for a process
 * that dies takes as long as it has much memory. They are nobody until then: neither members of the pool nor heard.
 *
 *   its predecessor is dying ─► a spare begins ─► the predecessor was reaped ─┬─► taken: the pool asks for another
 *                                                                             └─► told to leave, as a worker is: it does not
 */
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import type { Leader } from '../../runtime/reaper.ts'
import { earliest } from '../../supervision/deadline.ts'
import { type Key, keyText } from '../../supervision/pool.ts'
import { type Ms, ms, type Pid } from '../../units.ts'
import type { Farewell } from '../leaving.ts'
import type { Worker, Workers } from '../workers.ts'

type Heir = { readonly worker: Worker; readonly of: Pid }

type Parts = {
  readonly kernel: Pick<Kernel, 'kill'>
  readonly workers: Pick<Workers, 'get' | 'dismiss' | 'bury'>
}

export class Heirs {
  readonly #parts: Parts
  readonly #waiting = new Map<string, Heir>()
  /** Told to leave, and not reaped yet. `until`: null when it was killed. */
  readonly #leaving = new Map<Pid, { readonly worker: Worker; until: Ms | null }>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  has(key: Key): boolean {
    return this.#waiting.has(keyText(key))
  }

  /** It was called, and is to follow `of` under the same key. */
  add(of: Pid, worker: Worker): void {
    this.#waiting.set(keyText(worker.key), { worker, of })
  }

  /** Who follows under this key, if anyone has begun; it is a worker from now on. */
  take(key: Key): Worker | undefined {
    const heir = this.#waiting.get(keyText(key))
    this.#waiting.delete(keyText(key))
    return heir?.worker
  }

  /** Those whose predecessors are gone are to leave: nobody has taken them. They may be serving. */
  dismissOrphaned({ order, until }: Farewell): void {
    for (const [text, { worker, of }] of this.#waiting) {
      if (this.#parts.workers.get(of) !== undefined) continue
      this.#waiting.delete(text)
      this.#leaving.set(worker.pid, { worker, until })
      worker.channel.send(order)
    }
  }

  /** Those that leave are to be quicker. */
  hasten({ order, until }: Farewell): void {
    for (const leaving of this.#leaving.values()) {
      if (leaving.until === null) continue
      leaving.until = ms(Math.min(leaving.until, until))
      leaving.worker.channel.send(order)
    }
  }

  /** Ends those that have not left in time; `gap`: how long nothing here could run. */
  judge(now: Ms, gap: Ms): void {
    for (const leaving of this.#leaving.values()) {
      if (leaving.until === null) continue
      leaving.until = ms(leaving.until + gap)
      if (now < leaving.until) continue
      leaving.until = null
      this.#parts.kernel.kill(leaving.worker.pid, 'SIGKILL')
    }
  }

  get deadline(): Ms | null {
    return [...this.#leaving.values()].map(({ until }) => until).reduce(earliest, null)
  }

  get isGone(): boolean {
    return this.#waiting.size === 0 && this.#leaving.size === 0
  }

  leaders(): readonly (readonly [Pid, Leader])[] {
    const waiting = [...this.#waiting.values()].map(({ worker }) => worker.pid)
    return [...waiting, ...this.#leaving.keys()].map((pid) => [pid, 'group'])
  }

  /** One was reaped. False: it is none of these. Where it has died by itself, `fork` asks for another. */
  left({ pid }: Exit): boolean {
    const { workers } = this.#parts
    for (const [text, { worker }] of this.#waiting) {
      if (worker.pid !== pid) continue
      this.#waiting.delete(text)
      workers.dismiss(worker)
      workers.bury(worker)
      return true
    }
    const leaving = this.#leaving.get(pid)
    if (leaving === undefined) return false
    this.#leaving.delete(pid)
    workers.dismiss(leaving.worker)
    workers.bury(leaving.worker)
    return true
  }
}
