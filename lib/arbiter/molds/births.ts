/**
 * Who is being forked from molds: workers that were asked for, and spares. What is asked of a mold is answered by a birth, by
 * a failure, or by the mold's end.
 */
import type { FromMold } from '../../channel/mold-messages.ts'
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import { Forks } from '../../runtime/forks.ts'
import type { Failed, MoldProcess } from '../../runtime/mold-process.ts'
import { sameKey } from '../../supervision/pool/key.ts'
import type { Event, Key } from '../../supervision/pool.ts'
import type { Fd, Pid } from '../../units.ts'
import type { Generation } from '../generations/generation.ts'
import type { Standard } from '../outputs.ts'
import type { Ends, Unborn, Worker, Workers } from '../workers.ts'
import type { MoldReport } from './report.ts'
import type { Spare } from './spares.ts'

type Asked =
  | { readonly kind: 'worker'; readonly unborn: Unborn; readonly mold: MoldProcess }
  | { readonly kind: 'spare'; readonly ends: Ends; readonly sibling: Pid | undefined; readonly mold: MoldProcess }

export type BirthParts = {
  readonly kernel: Kernel
  readonly workers: Workers
  readonly report: MoldReport
  readonly happened: (event: Event) => void
  readonly standard: () => Standard
  /** The generation that this mold is of, as long as workers are forked from it. */
  readonly generationOf: (mold: MoldProcess) => Generation | undefined
  /** Whether a process is somebody already. */
  readonly isKnown: (pid: Pid) => boolean
  /** A worker has begun that was forked from this mold. */
  readonly begun: (worker: Worker, mold: MoldProcess) => void
  /** A process waits to be a worker. */
  readonly waits: (mold: MoldProcess, spare: Spare) => void
  /** A process that is there is of no use: it is to be ended. */
  readonly end: (spare: Spare) => void
}

export class Births {
  readonly #parts: BirthParts
  readonly #forks: Forks<Asked>

  constructor(parts: BirthParts) {
    this.#parts = parts
    this.#forks = new Forks<Asked>({
      kernel: parts.kernel,
      isKnown: parts.isKnown,
      born: (asked, pid, exit) => this.#forked(asked, pid, exit),
      failed: (asked, error) => this.#failed(asked, null, error),
      discard: (asked) => this.#discard(asked),
    })
  }

  /** Asks this mold for a worker. Throws where that cannot be said; then nothing was asked. */
  ask(mold: MoldProcess, unborn: Unborn): void {
    this.#forks.ask(mold, { kind: 'worker', unborn, mold }, [unborn.theirs!, ...placed(this.#parts.standard())])
  }

  /** Asks this mold for a spare. `sibling`: who does already what it will, if anyone does. */
  askAhead(mold: MoldProcess, sibling: Pid | undefined): void {
    const { kernel, workers, standard, report } = this.#parts
    let ends: Ends | null = null
    try {
      ends = workers.ends()
      const asked: Asked = { kind: 'spare', ends: { ...ends, theirs: null }, sibling, mold }
      this.#forks.ask(mold, asked, [ends.theirs!, ...placed(standard())])
      kernel.close(ends.theirs!)
    } catch (error) {
      if (ends !== null) workers.discard(ends)
      report.notAhead(mold, (error as Error).message)
    }
  }

  /** The process is there, and is this worker from now on. `exit`: it is gone already, and reaped. */
  begin(unborn: Unborn, mold: MoldProcess, pid: Pid, exit?: Exit): void {
    const { workers, happened, begun, end } = this.#parts
    const { key } = unborn
    try {
      begun(workers.adopt(unborn, pid), mold)
    } catch (error) {
      if (exit === undefined) end({ pid, ends: unborn })
      else workers.discard(unborn)
      return happened({ kind: 'spawnFailed', key, error: (error as Error).message })
    }
    happened({ kind: 'spawned', key, pid })
    if (exit === undefined) return
    happened({ kind: 'exited', key, pid, exit })
    workers.forget(pid)
  }

  answered(message: Extract<FromMold, { kind: 'forked' | 'forkFailed' }>): void {
    this.#forks.answered(message)
  }

  /** Nothing may come of the worker that was asked for under this key. The molds that were asked. */
  abandon(key: Key): MoldProcess[] {
    return this.#forks.abandon((asked) => asked.kind === 'worker' && sameKey(asked.unborn.key, key))
  }

  /** Nothing may come of the spares that were asked for. The molds that were asked. */
  abandonSpares(): MoldProcess[] {
    return this.#forks.abandon(({ kind }) => kind === 'spare')
  }

  /** Whether this mold owes an answer. */
  isAwaited(mold: MoldProcess): boolean {
    return this.#forks.isAwaited(mold)
  }

  /** The molds that owe an answer and could give it. */
  get owing(): MoldProcess[] {
    return this.#forks.owing
  }

  /** Whether this exit of an unknown process may be that of one whose birth we have not heard of yet. */
  keeps(exit: Exit): boolean {
    return this.#forks.keeps(exit)
  }

  /** A mold was reaped. `falls`: what was asked of it comes by fork/exec after all. */
  orphaned(mold: MoldProcess, falls: boolean): void {
    for (const asked of this.#forks.orphaned(mold)) {
      if (falls && asked.kind === 'worker') this.#startOtherwise(asked.unborn)
      else this.#failed(asked, mold.failed, `its mold ${mold.isQuiet ? 'has died' : 'did not come up'}`)
    }
  }

  #forked(asked: Asked, pid: Pid, exit: Exit | undefined): void {
    const { kernel, workers, generationOf, waits, end } = this.#parts
    if (exit === undefined) kernel.adopt(pid)
    if (asked.kind === 'worker') return this.begin(asked.unborn, asked.mold, pid, exit)
    const { ends, sibling, mold } = asked
    const generation = generationOf(mold)
    if (exit !== undefined) return this.#discard(asked)
    if (generation === undefined) return end({ pid, ends })
    try {
      workers.stay(ends, generation, sibling)
    } catch {
      // The next worker is forked when it is needed, and says what is wrong.
      return end({ pid, ends })
    }
    waits(mold, { pid, ends })
  }

  /** By fork/exec after all. */
  #startOtherwise(unborn: Unborn): void {
    const { workers, happened } = this.#parts
    const { key, generation, waits } = unborn
    workers.discard(unborn)
    try {
      happened({ kind: 'spawned', key, pid: workers.start(key, generation, waits).pid })
    } catch (error) {
      happened({ kind: 'spawnFailed', key, error: (error as Error).message })
    }
  }

  #discard(asked: Asked): void {
    this.#parts.workers.discard(asked.kind === 'worker' ? asked.unborn : asked.ends)
  }

  /** Without a spare the next worker is forked when it is needed, and says what is wrong. */
  #failed(asked: Asked, failed: Failed | null, otherwise: string): void {
    this.#discard(asked)
    if (asked.kind === 'spare') return
    const isApps = failed !== null && isOfApp(failed)
    const fault = isApps && { fault: failed.fault, text: failed.text, ...(failed.stack && { stack: failed.stack }) }
    const error = failed?.text ?? otherwise
    this.#parts.happened({ kind: 'spawnFailed', key: asked.unborn.key, error, ...(fault && { fault }) })
  }
}

/** What a forked process has for 0, 1 and 2. */
const placed = ({ stdin, stdout, stderr }: Standard): Fd[] => [stdin, stdout, stderr]

/** Another way of starting workers would not help an app that is broken. */
export const isOfApp = ({ fault }: Failed): boolean => fault !== 'notQuiet' && fault !== 'cannotFork'
