/**
 * Processes that were forked ahead, one for each mold that workers are forked from: adopted, and waiting for their `go`
 * before any code of the app runs in them. The next worker is made of one. Until then it is nobody: neither a member of
 * the pool nor in its counts.
 *
 *   the mold, or a worker of it, is up ─► owed ─► nobody is being born, for a moment ─► asked of the mold ─► stays ─┬─► taken
 *                                                                                                                   └─► dropped
 *
 * One that dies while it waits is not replaced before another worker has come up, so that nothing here can go in circles.
 */
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import type { MoldProcess } from '../../runtime/mold-process.ts'
import type { Leader } from '../../runtime/reaper.ts'
import { type Ms, ms, type Pid } from '../../units.ts'
import type { Ends, Workers } from '../workers.ts'

/** After the last birth: the first requests of who was born come first. */
const REST = ms(50)

export type Spare = { readonly pid: Pid; readonly ends: Ends }

type Parts = { readonly kernel: Pick<Kernel, 'kill'>; readonly workers: Pick<Workers, 'discard'> }

export class Spares {
  readonly #parts: Parts
  readonly #owed = new WeakSet<MoldProcess>()
  readonly #waiting = new Map<MoldProcess, Spare>()
  /** Killed, and not reaped yet. */
  readonly #leaving = new Set<Pid>()
  #at: Ms | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** This mold is to have one, as soon as nothing else is to be done. */
  owe(mold: MoldProcess): void {
    if (!this.#waiting.has(mold)) this.#owed.add(mold)
  }

  /** Whether this mold is to be asked for one now. `isCalm`: nobody is being born. */
  isDue(mold: MoldProcess, isCalm: boolean, now: Ms): boolean {
    if (!isCalm || !mold.isQuiet || !this.#owed.has(mold)) {
      this.#at = null
      return false
    }
    this.#at ??= ms(now + REST)
    if (now < this.#at) return false
    this.#at = null
    return this.#owed.delete(mold)
  }

  /** Nobody is asked for one now, nor waited for. */
  rest(): void {
    this.#at = null
  }

  /** When to look again. */
  get deadline(): Ms | null {
    return this.#at
  }

  /** It was forked, and adopted by us. One is enough: a worker may have come up while it was under way. */
  born(mold: MoldProcess, spare: Spare): void {
    this.#owed.delete(mold)
    if (this.#waiting.has(mold)) this.end(spare)
    else this.#waiting.set(mold, spare)
  }

  of(mold: MoldProcess): Spare | null {
    return this.#waiting.get(mold) ?? null
  }

  /** It is somebody now: its process and its channel are the worker's. */
  taken(mold: MoldProcess): void {
    this.#waiting.delete(mold)
  }

  /** Nobody will be made of it. */
  drop(mold: MoldProcess): void {
    const spare = this.#waiting.get(mold)
    this.#waiting.delete(mold)
    this.#owed.delete(mold)
    if (spare !== undefined) this.end(spare)
  }

  /** What was asked for and has come too late, or is of no use. */
  end({ pid, ends }: Spare): void {
    const { kernel, workers } = this.#parts
    workers.discard(ends)
    kernel.kill(pid, 'SIGKILL')
    this.#leaving.add(pid)
  }

  /** Whatever they have open is not what it should be any more: others come in their place. */
  renew(): void {
    for (const mold of [...this.#waiting.keys()]) {
      this.drop(mold)
      this.owe(mold)
    }
  }

  get isGone(): boolean {
    return this.#waiting.size === 0 && this.#leaving.size === 0
  }

  leaders(): readonly (readonly [Pid, Leader])[] {
    return [...[...this.#waiting.values()].map(({ pid }) => pid), ...this.#leaving].map((pid) => [pid, 'group'])
  }

  /** One was reaped; `unexpected`: by itself. Null: it is none. */
  left(exit: Exit): 'dropped' | 'unexpected' | null {
    if (this.#leaving.delete(exit.pid)) return 'dropped'
    for (const [mold, { pid, ends }] of this.#waiting) {
      if (pid !== exit.pid) continue
      this.#waiting.delete(mold)
      this.#parts.workers.discard(ends)
      return 'unexpected'
    }
    return null
  }
}
