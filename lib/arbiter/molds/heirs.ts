/**
 * Workers that have begun before the one whose place they take was reaped: what the kernel has still to do for a process
 * that dies takes as long as it has much memory. They are nobody until then: neither members of the pool nor heard.
 *
 *   its predecessor is dying ─► a spare begins ─► the predecessor was reaped ─┬─► taken: the pool asks for another
 *                                                                             └─► ended: it does not
 */
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import type { Leader } from '../../runtime/reaper.ts'
import { type Key, keyText } from '../../supervision/pool.ts'
import type { Pid } from '../../units.ts'
import type { Worker, Workers } from '../workers.ts'

type Heir = { readonly worker: Worker; readonly of: Pid }

type Parts = {
  readonly kernel: Pick<Kernel, 'kill'>
  readonly workers: Pick<Workers, 'get' | 'dismiss' | 'bury'>
}

export class Heirs {
  readonly #parts: Parts
  readonly #waiting = new Map<string, Heir>()
  /** Killed, and not reaped yet. */
  readonly #leaving = new Map<Pid, Worker>()

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

  /** Ends those whose predecessors are gone: nobody has taken them. */
  endOrphaned(): void {
    const { kernel, workers } = this.#parts
    for (const [text, { worker, of }] of this.#waiting) {
      if (workers.get(of) !== undefined) continue
      this.#waiting.delete(text)
      workers.dismiss(worker)
      kernel.kill(worker.pid, 'SIGKILL')
      this.#leaving.set(worker.pid, worker)
    }
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
    const worker = this.#leaving.get(pid)
    if (worker !== undefined) workers.bury(worker)
    return this.#leaving.delete(pid)
  }
}
