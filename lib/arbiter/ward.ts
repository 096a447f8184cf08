/** A process beside the workers that the arbiter keeps alive, in the same loop: the companion manager, the mold. */
import type { Exit } from '../kernel/kernel.ts'
import type { Leader } from '../runtime/reaper.ts'
import type { Ms, Pid } from '../units.ts'

export type Ward = {
  /** Its processes that are there. */
  leaders(): ReadonlyMap<Pid, Leader>
  /** Hears what one that has exited said last. */
  lastWords(pid: Pid): void
  /** One was reaped. False: it is none of this ward's. */
  left(exit: Exit, now: Ms): boolean
  /** Deals with deadlines; `gap` as in `Turn.judge`. */
  judge(now: Ms, gap: Ms): void
  deadline(now: Ms): Ms | null
  /** For good. */
  stop(how: 'graceful' | 'quick', now: Ms): void
  /** Nothing is left of it, and nothing is wanted. */
  readonly isGone: boolean
}

/** The part of a ward that has no process: it takes part in the loop for its deadlines. */
export abstract class WithoutProcess {
  readonly isGone = true

  leaders(): ReadonlyMap<Pid, Leader> {
    return new Map()
  }

  lastWords(): void {}

  left(): boolean {
    return false
  }
}
