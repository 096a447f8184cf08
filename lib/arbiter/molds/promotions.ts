/**
 * `reforkAfter`: a worker that has served so many requests becomes the mold of its generation, so that later workers have
 * its compiled code and its heap.
 *
 *   served enough → relieved as by recycling → drained → quiet? ──no──► it leaves; the generation keeps its mold
 *                                                          └─yes─► a mold on trial: the next worker is forked from it
 *                                 comes good: the old mold ends, the others are replaced one by one ◄──┤
 *                                                         does not: the mold on trial ends             ┘
 *
 * One at a time. The next one of a generation comes after twice as many requests as the one before.
 */
import { COLUMN } from '../../channel/heartbeat.ts'
import type { FromMold } from '../../channel/mold-messages.ts'
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import { MoldProcess } from '../../runtime/mold-process.ts'
import { sameKey } from '../../supervision/pool/key.ts'
import type { Event, Key, Member, Pool } from '../../supervision/pool.ts'
import { type Ms, ms, type Pid } from '../../units.ts'
import type { Generation } from '../generations/generation.ts'
import type { Notice } from '../surroundings.ts'
import type { Worker, Workers } from '../workers.ts'
import type { MoldReport } from './report.ts'

/** Of the time to drain, for what an app must close itself: an idle connection of `fetch` closes after some seconds. */
const REST_SHARE = 0.5

type Promotion = {
  readonly generation: Generation
  readonly worker: Worker
  /** From when it is told to drain. */
  mold: MoldProcess | null
  /** It is a worker no more. */
  onTrial: boolean
  /** The first worker that is forked from it. */
  prover: Key | null
}

export type PromotionParts = {
  readonly kernel: Kernel
  readonly workers: Workers
  readonly report: MoldReport
  readonly happened: (event: Event) => void
  readonly generationOf: (number: number) => Generation
  /** Which of its generation's molds a worker was forked from, counted from 1; null: from none. */
  readonly numberOf: (worker: Worker) => number | null
  readonly heard: (mold: MoldProcess, message: FromMold) => void
  /** The mold of a generation from now on. */
  readonly succeed: (generation: Generation, mold: MoldProcess) => void
  /** A mold on trial is of no use. */
  readonly end: (mold: MoldProcess) => void
}

export class Promotions {
  readonly #parts: PromotionParts
  #current: Promotion | null = null
  /** How many requests the next one must have served, where that is not `reforkAfter`. */
  readonly #thresholds = new WeakMap<Generation, number>()
  readonly #refused = new WeakSet<Generation>()

  constructor(parts: PromotionParts) {
    this.#parts = parts
  }

  /** The mold that has yet to prove itself, once it is a worker no more. */
  get onTrial(): MoldProcess | null {
    return this.#current?.onTrial ? this.#current.mold : null
  }

  /** That of the worker in question. */
  get generation(): Generation | null {
    return this.#current?.generation ?? null
  }

  /** Chooses a worker, where one has served enough. `number`: of the mold that its generation has. */
  look(pool: Pool, number: (generation: Generation) => number | null): void {
    if (this.#current !== null || pool.mode !== 'running' || pool.reload !== null) return
    const generation = this.#parts.generationOf(pool.generation)
    const { reforkAfter } = generation.config
    if (reforkAfter === 0 || this.#refused.has(generation)) return
    const enough = this.#thresholds.get(generation) ?? reforkAfter
    const newest = number(generation)
    const worker = this.#serving(pool, generation).find(
      (one) => this.#parts.numberOf(one) === newest && (one.cell.values[COLUMN.requests] ?? 0) >= enough,
    )
    if (worker === undefined) return
    this.#current = { generation, worker, mold: null, onTrial: false, prover: null }
    this.#parts.report.chosen(worker, worker.cell.values[COLUMN.requests] ?? 0)
    this.#parts.happened({ kind: 'retire', key: worker.key })
  }

  /** This worker is about to be told to drain. */
  draining(pid: Pid, pool: Pool): void {
    const current = this.#current
    if (current === null || current.worker.pid !== pid || current.mold !== null) return
    const { generationOf, report } = this.#parts
    if (pool.mode !== 'running' || pool.reload !== null || generationOf(pool.generation) !== current.generation) {
      this.#current = null
      return
    }
    try {
      current.mold = this.#promote(current)
    } catch (error) {
      this.#refused.add(current.generation)
      this.#current = null
      report.notPromoted(current.worker, (error as Error).message)
    }
  }

  /** Throws where it cannot be told; then nothing has changed. */
  #promote({ worker: { pid }, generation }: Promotion): MoldProcess {
    const { kernel, workers, heard } = this.#parts
    const { gracefulTimeout, bootTimeout } = generation.config
    const [ours, theirs] = kernel.channelPair()
    try {
      workers.tell(pid, { kind: 'promote', patience: this.#patience(gracefulTimeout, bootTimeout) }, [theirs])
    } catch (error) {
      kernel.close(ours)
      throw error
    } finally {
      kernel.close(theirs)
    }
    const mold = new MoldProcess(kernel, pid, ours, (message) => {
      if (this.#current?.mold === mold) this.#heard(this.#current, message)
      heard(mold, message)
    })
    return mold
  }

  /** Whether the next worker of this generation is to be forked from the mold that is on trial. */
  needsProver(generation: Generation): boolean {
    const current = this.#current
    return current?.onTrial === true && current.generation === generation && current.prover === null
  }

  /** What this worker, which is being asked for, is to be forked from, where that is on trial. */
  moldFor(key: Key, generation: Generation): MoldProcess | null {
    if (!this.needsProver(generation)) return null
    this.#current!.prover = key
    return this.#current!.mold
  }

  noticed(notice: Notice, pool: Pool): void {
    const current = this.#current
    if (current === null) return
    const isOver = pool.mode !== 'running' || pool.reload !== null
    if (isOver) return this.drop()
    if (notice.kind !== 'moved' || current.prover === null || !sameKey(notice.key, current.prover)) return
    const { phase, trouble } = notice.to
    if (phase.kind === 'up') this.#proved(current, pool)
    else if (phase.kind === 'waiting' || phase.kind === 'failed' || phase.kind === 'leaving')
      this.#fail(
        current,
        `the first worker that was forked from it did not come good${trouble ? '' : ' before it left'}`,
      )
  }

  /** A worker was reaped. */
  workerLeft({ pid }: Exit): void {
    const current = this.#current
    if (current === null || current.worker.pid !== pid || current.onTrial) return
    current.mold?.forget()
    this.#current = null
  }

  /** The mold on trial was reaped. False: it is another. */
  moldLeft(mold: MoldProcess): boolean {
    if (this.#current?.mold !== mold) return false
    this.#parts.report.notPromoted(mold, 'it has died')
    this.#refused.add(this.#current.generation)
    this.#current = null
    return true
  }

  /** Nothing is to come of it. A worker that drains leaves when nobody hears it. */
  drop(): void {
    const current = this.#current
    this.#current = null
    if (current?.mold == null) return
    if (current.onTrial) this.#parts.end(current.mold)
    else current.mold.forget()
  }

  #heard(current: Promotion, message: FromMold): void {
    if (message.kind === 'failed') {
      this.#refused.add(current.generation)
      this.#parts.report.notPromoted(current.mold!, message.text)
      current.mold!.forget()
      this.#current = null
    } else if (message.kind === 'quiet') this.#isMold(current)
  }

  /** To the pool it has left. */
  #isMold(current: Promotion): void {
    const { workers, happened, report } = this.#parts
    const { key, pid } = current.worker
    current.onTrial = true
    report.onTrial(current.worker)
    workers.forget(pid)
    happened({ kind: 'exited', key, pid, exit: ENDED })
    // Somebody must be forked from it.
    const [prover] = [...workers.all()].filter((one) => one.generation === current.generation && one.pid !== pid)
    if (prover !== undefined) happened({ kind: 'retire', key: prover.key })
  }

  #proved(current: Promotion, pool: Pool): void {
    const { generation, mold } = current
    const { succeed, happened, report, numberOf } = this.#parts
    this.#current = null
    this.#thresholds.set(generation, 2 * (this.#thresholds.get(generation) ?? generation.config.reforkAfter))
    succeed(generation, mold!)
    report.promoted(mold!)
    const prover = this.#serving(pool, generation).find(({ key }) => sameKey(key, current.prover!))
    const newest = prover === undefined ? null : numberOf(prover)
    for (const worker of this.#serving(pool, generation))
      if (numberOf(worker) !== newest) happened({ kind: 'retire', key: worker.key })
  }

  #fail(current: Promotion, why: string): void {
    this.#refused.add(current.generation)
    this.#parts.report.notPromoted(current.mold!, why)
    this.#current = null
    this.#parts.end(current.mold!)
  }

  /** Workers of a generation that are good and stay. */
  #serving(pool: Pool, generation: Generation): Worker[] {
    const isGood = ({ role, life, retiring }: Member): boolean =>
      (role === 'holder' || role === 'relief') && life.phase.kind === 'up' && retiring === null
    const good = pool.members.filter(isGood)
    return [...this.#parts.workers.all()].filter(
      (worker) => worker.generation === generation && good.some(({ key }) => sameKey(key, worker.key)),
    )
  }

  #patience(gracefulTimeout: Ms, bootTimeout: Ms): number {
    return ms(Math.floor(Math.min(bootTimeout, gracefulTimeout * REST_SHARE)))
  }
}

/** To the pool, which lets it go. */
const ENDED = { code: 0, signal: null, core: false } as const
