/**
 * Workers by fork, for generations with `preload`: a mold for each, started when the first worker is asked for, and again
 * when one is asked for after it has died. What has gone wrong with it is told to the lives that asked, whose own back-off
 * then decides when it is tried again.
 */
import type { FromMold } from '../../channel/mold-messages.ts'
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import { type MoldProcess, startMold } from '../../runtime/mold-process.ts'
import type { Leader } from '../../runtime/reaper.ts'
import { Silence } from '../../runtime/silence.ts'
import { earliest } from '../../supervision/deadline.ts'
import type { Event, Key, Pool } from '../../supervision/pool.ts'
import type { Ms, Pid } from '../../units.ts'
import type { Generation } from '../generations/generation.ts'
import { moldPlan } from '../generations/plan.ts'
import type { Standard } from '../outputs.ts'
import type { Notice } from '../surroundings.ts'
import type { Ward } from '../ward.ts'
import type { Worker, Workers } from '../workers.ts'
import { Births, isOfApp } from './births.ts'
import { Promotions } from './promotions.ts'
import type { MoldReport } from './report.ts'
import { Reserve } from './reserve.ts'
import { Roster } from './roster.ts'
import { type MoldStatus, moldStatus } from './status.ts'

export type MoldParts = {
  readonly kernel: Kernel
  readonly workers: Workers
  readonly report: MoldReport
  readonly happened: (event: Event) => void
  /** The generation of that number. */
  readonly generationOf: (number: number) => Generation
  readonly standard: () => Standard
  /** Whether a process is somebody already. */
  readonly isKnown: (pid: Pid) => boolean
  /** Asks for a turn. */
  readonly wake: () => void
}

export class Molds implements Ward {
  readonly #parts: MoldParts
  readonly #roster = new Roster<Generation, MoldProcess>()
  readonly #births: Births
  readonly #silence = new Silence()
  /** Generations that cannot be preloaded, and whose workers are exec'd instead (`preloadFallback`). */
  readonly #fallen = new WeakSet<Generation>()
  readonly #forkedBy = new WeakMap<Worker, number>()
  readonly promotions: Promotions
  readonly reserve: Reserve

  constructor(parts: MoldParts) {
    this.#parts = parts
    this.reserve = new Reserve({
      ...parts,
      moldOf: (generation) => (this.promotions.needsProver(generation) ? undefined : this.#roster.of(generation)),
      begun: (worker, mold) => this.#numbered(worker, mold),
    })
    this.#births = new Births({
      ...parts,
      generationOf: (mold) => this.#roster.generationOf(mold),
      begun: (worker, mold) => this.#numbered(worker, mold),
      waits: (mold, spare) => this.reserve.born(mold, spare),
      end: (spare) => this.reserve.end(spare),
    })
    this.promotions = new Promotions({
      ...parts,
      numberOf: (worker) => this.numberOf(worker),
      heard: (mold, message) => this.#heard(mold, message),
      succeed: (generation, mold) => this.#succeed(generation, mold),
      end: (mold) => this.#end(mold),
    })
  }

  /** Which of its generation's molds this worker was forked from, counted from 1; null: from none. */
  numberOf(worker: Worker): number | null {
    return this.#forkedBy.get(worker) ?? null
  }

  /** The molds that are there, for `status`. */
  get all(): readonly MoldStatus[] {
    const { onTrial } = this.promotions
    return [...this.#roster.current, ...listOf(onTrial)].map((mold) =>
      moldStatus(mold, this.#roster.numberOf(mold), mold === onTrial, this.reserve.of(mold)),
    )
  }

  /** Whether a worker is to become a mold, and whether it is time to fork one ahead. */
  look(pool: Pool, now: Ms): void {
    this.promotions.look(pool, (generation) => this.#roster.numberOf(this.#roster.of(generation)!) ?? null)
    const generation = this.#parts.generationOf(pool.generation)
    const mold = this.#roster.of(generation)
    if (pool.mode !== 'running' || mold === undefined || !generation.config.preloadSpare) return this.reserve.rest()
    const isCalm = pool.reload === null && pool.members.every(({ life }) => !BEING_BORN.has(life.phase.kind))
    if (this.reserve.isDue(mold, isCalm, now)) this.#births.askAhead(mold, this.#siblingOf(mold, generation)?.pid)
  }

  noticed(notice: Notice, pool: Pool): void {
    this.promotions.noticed(notice, pool)
    if (notice.kind !== 'moved' || notice.to.phase.kind !== 'up') return
    const mold = this.#roster.of(this.#parts.generationOf(notice.key.generation))
    if (mold !== undefined) this.reserve.owe(mold)
  }

  /** What everybody has for 1 and 2 is another file from now on. */
  reopen(): void {
    for (const mold of this.#births.abandonSpares()) this.reserve.owe(mold)
    this.reserve.renew()
    const { stdout, stderr } = this.#parts.standard()
    for (const mold of [...this.#roster.all, ...listOf(this.promotions.onTrial)]) mold.reopen(stdout, stderr)
  }

  /** Whether workers of this generation are forked. */
  serves(generation: Generation): boolean {
    return generation.config.preload && !this.#fallen.has(generation)
  }

  /** Asks for a worker. Throws where the mold itself cannot be started. */
  fork(key: Key, generation: Generation, waits: boolean): void {
    const { workers, happened } = this.#parts
    const heir = this.reserve.heir(key)
    if (heir !== undefined) {
      workers.open(heir)
      return happened({ kind: 'spawned', key, pid: heir.pid })
    }
    const there = this.#moldFor(key, generation)
    const spare = there && this.reserve.ready(there)
    const unborn = workers.prepare(key, generation, waits, spare?.ends)
    if (spare) {
      this.reserve.taken(there)
      return this.#births.begin(unborn, there, spare.pid)
    }
    try {
      this.#births.ask(there ?? this.#moldOf(generation), unborn)
    } catch (error) {
      workers.discard(unborn)
      throw error
    }
  }

  /** Begins to load the app before a worker is asked for. */
  warm(generation: Generation): void {
    if (!this.serves(generation)) return
    try {
      this.#moldOf(generation)
    } catch {
      // The first worker that is asked for tells why.
    }
  }

  /**
   * It took too long: nothing may come of what was asked for under this key. A mold that was not even loaded by then never
   * will be.
   */
  abandon(key: Key): void {
    for (const mold of this.#births.abandon(key)) if (!mold.isQuiet && !this.#roster.isEnding(mold)) this.#end(mold)
  }

  /** Whether this exit of an unknown process may be that of a worker whose birth we have not heard of yet. */
  keeps(exit: Exit): boolean {
    return this.#births.keeps(exit)
  }

  /** Ends the molds of generations that no worker will be started from any more. */
  keepOnly({ mode, generation, reload }: Pool): void {
    const { generationOf } = this.#parts
    const wanted = new Set<Generation>()
    if (mode === 'running') {
      wanted.add(generationOf(generation))
      if (reload !== null) wanted.add(generationOf(reload.generation))
    }
    for (const mold of this.#roster.current) if (!wanted.has(this.#roster.generationOf(mold)!)) this.#end(mold)
  }

  get isGone(): boolean {
    return this.#roster.all.length === 0 && this.promotions.onTrial === null && this.reserve.isGone
  }

  leaders(): ReadonlyMap<Pid, Leader> {
    const all = [...this.#roster.all, ...listOf(this.promotions.onTrial)]
    return new Map([...all.map((mold): [Pid, Leader] => [mold.pid, 'group']), ...this.reserve.leaders()])
  }

  lastWords(of: Pid): void {
    this.#find(of)?.hear()
  }

  left(exit: Exit): boolean {
    const spare = this.reserve.left(exit)
    if (spare === 'unexpected') this.#parts.report.spareLeft(exit)
    if (spare !== null) return true
    const mold = this.#find(exit.pid)
    if (mold === undefined) return false
    const generation = this.#roster.generationOf(mold)
    const wasEnding = this.#roster.remove(mold)
    mold.forget()
    this.reserve.drop(mold)
    const { report } = this.#parts
    if (!wasEnding && !this.promotions.moldLeft(mold)) report.left(mold, exit)
    const falls = mold.failed !== null && generation?.config.preloadFallback === true && !isOfApp(mold.failed)
    if (falls) this.#fallen.add(generation!)
    this.#births.orphaned(mold, falls)
    if (falls) report.falls(mold)
    return true
  }

  judge(now: Ms, gap: Ms): void {
    this.reserve.judge(now, gap)
    for (const { mold, how } of this.#silence.judge(this.#births.owing, now, gap)) {
      this.#parts.report.silent(mold, how)
      if (how === 'late') continue
      // Its exit is that of a mold on trial, or of one that was to end.
      if (this.#roster.generationOf(mold) === undefined) mold.kill()
      else this.#end(mold)
    }
  }

  deadline(now: Ms): Ms | null {
    return earliest(this.reserve.deadline, this.#silence.deadline(this.#births.owing, now))
  }

  stop(): void {
    this.promotions.drop()
    for (const mold of this.#roster.current) this.#end(mold)
  }

  #moldOf(generation: Generation): MoldProcess {
    const there = this.#roster.of(generation)
    if (there) return there
    const { kernel, standard, report } = this.#parts
    const { config, program, listeners } = generation
    const mold: MoldProcess = startMold(
      kernel,
      {
        plan: (channel) => moldPlan(program, process.execPath, { ...standard(), channel }),
        go: {
          patience: config.bootTimeout,
          open: config.preloadOpen,
          leader: 'group',
          promotes: config.reforkAfter > 0,
          inspect: config.inspect,
          clusterWorker: config.clusterWorker,
          listeners: listeners.map(({ address }) => address),
          ...(program.hooksFile !== null && { hooksFile: program.hooksFile }),
        },
      },
      (message) => this.#heard(mold, message),
    )
    this.#roster.set(generation, mold)
    report.started(mold)
    return mold
  }

  /** The mold that was is ended, unless it owes an answer. */
  #succeed(generation: Generation, mold: MoldProcess): void {
    const before = this.#roster.set(generation, mold)
    if (before === undefined) return
    this.reserve.drop(before)
    if (!this.#births.isAwaited(before)) before.kill()
  }

  #heard(mold: MoldProcess, message: FromMold): void {
    switch (message.kind) {
      case 'quiet':
        if (mold === this.promotions.onTrial) this.#roster.number(mold, this.promotions.generation!)
        else this.#parts.report.quiet(mold)
        // Workers that came through an upgrade in place are not of this mold, and none may be born of it for long.
        this.reserve.owe(mold)
        return this.#parts.wake()
      case 'log':
        return this.#parts.report.said(mold, message)
      case 'failed':
        return // its exit follows
      case 'forked':
      case 'forkFailed':
        this.#births.answered(message)
        if (this.#roster.isEnding(mold) && !this.#births.isAwaited(mold)) mold.kill()
    }
  }

  /** Who does already what a spare of this mold will, if anyone does. */
  #siblingOf(mold: MoldProcess, generation: Generation): Worker | undefined {
    const number = this.#roster.numberOf(mold)
    return [...this.#parts.workers.all()].find(
      (one) => one.generation === generation && this.#forkedBy.get(one) === number,
    )
  }

  #numbered(worker: Worker, mold: MoldProcess): Worker {
    const number = this.#roster.numberOf(mold)
    if (number !== undefined) this.#forkedBy.set(worker, number)
    return worker
  }

  #end(mold: MoldProcess): void {
    this.#roster.end(mold)
    this.reserve.drop(mold)
    mold.kill()
  }

  #moldFor(key: Key, generation: Generation): MoldProcess | undefined {
    return this.promotions.moldFor(key, generation) ?? this.#roster.of(generation)
  }

  #find(of: Pid): MoldProcess | undefined {
    const { onTrial } = this.promotions
    return onTrial?.pid === of ? onTrial : this.#roster.find(of)
  }
}

const listOf = (mold: MoldProcess | null): MoldProcess[] => (mold === null ? [] : [mold])

/** A worker in one of these phases needs the processor, or the mold, more than a spare does. */
const BEING_BORN: ReadonlySet<string> = new Set(['spawning', 'starting'])
