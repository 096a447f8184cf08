/**
 * The arbiter at work: joins the pool (what should happen), the workers (what is there) and the loop (when). Commands
 * and events queue up and are dealt with in a turn; nothing else changes the pool.
 */
import type { Config } from '../config/settings.ts'
import type { Exit, Signal, SignalRecord } from '../kernel/kernel.ts'
import { Jobs } from '../runtime/jobs.ts'
import type { Turn } from '../runtime/loop.ts'
import { reapChildren } from '../runtime/reaper.ts'
import { earliest } from '../supervision/deadline.ts'
import { sameKey } from '../supervision/pool/key.ts'
import {
  deadline,
  type Effect,
  type Event,
  followed,
  type Key,
  type Member,
  type Pool,
  type PoolPolicy,
  step,
} from '../supervision/pool.ts'
import { sessionMembers } from '../system/processes.ts'
import { type Ms, ms, type Pid } from '../units.ts'
import { admit } from './admit.ts'
import type { Generation } from './generations/generation.ts'
import { Generations, type PackedGeneration } from './generations/generations.ts'
import { poolPolicy } from './generations/policy.ts'
import { Leaving } from './leaving.ts'
import { answerListen, answerUnlisten } from './listeners/answer.ts'
import { lend } from './listeners/lend.ts'
import { orderOf } from './orders.ts'
import type { Surroundings } from './surroundings.ts'
import type { Ward } from './ward.ts'
import type { Heard, Worker } from './workers.ts'

/** How often the heartbeats are looked at. */
const LOOK_EVERY = ms(1000)
/** How long events are dealt with in one turn, before signals, exits and commands are looked at again. */
const LONGEST_SETTLING = ms(100)
/** When orphans may be hidden behind a child of libuv: how soon they are looked for again. */
const LOOK_AGAIN = ms(50)

export type PackedArbiter = { readonly pool: Pool; readonly generations: readonly PackedGeneration[] }

export class Arbiter implements Turn {
  readonly #around: Surroundings
  readonly #generations = new Generations()
  readonly #jobs: Jobs
  readonly #leaving: Leaving
  readonly #events: Event[] = []
  #pool: Pool
  #policy: PoolPolicy
  /** What workers that become ready are asked for; set where the policy waits for it. */
  #readyPath: string | null
  #lookAt: Ms | null = null
  #stopping = false

  constructor(around: Surroundings, pool: Pool, first: Generation) {
    this.#around = around
    this.#jobs = new Jobs(around.wake, (error) => this.failed(error))
    this.#leaving = new Leaving({
      ...around,
      pool: () => this.#pool,
      policy: () => this.#policy,
      stopDelay: () => this.#generations.of(this.#pool.generation).config.stopDelay,
    })
    this.#pool = pool
    this.#policy = poolPolicy(first.config)
    this.#readyPath = first.config.readyPath
    this.#generations.add(1, first)
  }

  /** For another image of this process, when everything that has happened so far is dealt with. */
  pack(): PackedArbiter {
    while (this.#events.length > 0) this.#settle(this.#around.kernel.now())
    return { pool: this.#pool, generations: this.#generations.pack() }
  }

  /** Goes on where the image before this one was. `config`: of the last reload, whatever became of it. */
  unpack({ pool, generations }: PackedArbiter, config: Config): void {
    this.#pool = pool
    this.#policy = poolPolicy(config)
    this.#readyPath = config.readyPath
    this.#generations.unpack(generations, this.#around.listeners)
  }

  get pool(): Pool {
    return this.#pool
  }

  generationOf(number: number): Generation {
    return this.#generations.of(number)
  }

  /** Starts the workers, unless it was told to stop before that. */
  begin(): void {
    if (this.#pool.mode === 'idle') this.happened({ kind: 'start' })
  }

  /** Runs a job in the next turn, where it may call `happened` and the like. */
  schedule(job: () => void): void {
    this.#jobs.add(job)
  }

  /** A command or an event of a worker, for the next turn or the rest of this one. */
  happened(event: Event): void {
    this.#events.push(event)
    this.#around.wake()
  }

  /** Starts a reload into this generation. */
  reload(generation: Generation): void {
    this.#policy = poolPolicy(generation.config)
    this.#readyPath = generation.config.readyPath
    this.#generations.add(this.#pool.latest + 1, generation)
    // Slots that are new get a worker of the new generation only; to those that go none is given.
    const scale: Event = { kind: 'scale', to: generation.size }
    const reload: Event = { kind: 'reload' }
    for (const event of generation.size < this.#pool.size ? [scale, reload] : [reload, scale]) this.happened(event)
  }

  /** From now on listening sockets are the workers' own: what is queued in them is theirs to accept. */
  stop(how: 'graceful' | 'quick'): void {
    const { listeners, wards, kernel, molds } = this.#around
    if (!this.#stopping) listeners.close()
    this.#stopping = true
    this.#leaving.isQuick ||= how === 'quick'
    for (const ward of wards) ward.stop(how, kernel.now())
    if (this.#leaving.isQuick) molds.reserve.hasten(this.#leaving.farewell(kernel.now()))
    this.happened({ kind: 'stop', how })
  }

  /** Nothing is left: neither workers nor wards. */
  get isOver(): boolean {
    return this.isOverBut(null)
  }

  /** Nothing else is left. */
  isOverBut(last: Ward | null): boolean {
    return this.#pool.mode === 'stopped' && this.#around.wards.every((ward) => ward === last || ward.isGone)
  }

  /** Applies a command at once, for an answer that tells its effect. Only in a job of `schedule`. */
  apply(event: Event): Pool {
    const { kernel, wake } = this.#around
    this.#events.push(event)
    const before = this.#pool
    for (let left = this.#events.length; left > 0; left--) this.#next(kernel.now())
    if (this.#pool !== before) this.#admit()
    wake()
    return this.#pool
  }

  /** What a worker said. */
  heard(worker: Worker, what: Heard): void {
    const { key, pid } = worker
    const { listeners } = this.#around
    switch (what.kind) {
      case 'announced':
        return this.happened({ kind: 'announced', key, pid })
      case 'ready':
        listeners.keep(pid)
        if (this.#readyPath !== null) this.#around.workers.tell(pid, { kind: 'probe', path: this.#readyPath })
        return this.happened({ kind: 'ready', key, pid })
      case 'probed':
        this.#around.report.probed(worker, what)
        if (what.passed) this.happened({ kind: 'passed', key, pid })
        return
      case 'lasted':
        listeners.keep(pid)
        return this.happened({ kind: 'lasted', key, pid })
      case 'beat':
        return this.happened({ kind: 'heard', key, pid })
      case 'retire':
        this.#around.report.retires(worker, what.reason)
        return this.happened({ kind: 'retire', key })
      case 'loaded':
        return this.#around.loaded(key.generation, what)
      case 'listen':
        return answerListen(this.#around, worker, what, this.#stopping)
      case 'unlisten':
        return answerUnlisten(this.#around, worker, what)
      case 'draining':
      case 'log':
      case 'garbled':
        return this.#around.report.said(worker, what)
    }
  }

  signalled(record: SignalRecord): void {
    const order = orderOf(record)
    if (order === null) return
    this.#around.report.ordered(record, order)
    switch (order.kind) {
      case 'stop':
        return this.stop(order.how)
      case 'scale':
        return this.happened({ kind: 'scaleBy', by: order.by })
      case 'drain':
        return this.happened({ kind: 'drain' })
      default:
        return this.#around.elsewhere(order)
    }
  }

  hear(now: Ms): void {
    this.#around.workers.listenForBeats()
    this.#settle(now)
    this.#around.molds.look(this.#pool, now)
    this.#settle(now)
  }

  /** Who comes in an exited worker's place is called first, and both are logged after it. */
  reaped(now: Ms): void {
    const { kernel, report } = this.#around
    const exits = kernel.takeExits()
    if (exits.length > 0) report.after(() => this.#bury(exits, now))
    const dying = kernel.takeDying()
    if (dying.length > 0) this.#expect(dying, followed(this.#pool, now, this.#policy))
  }

  /** These are about to be gone. Whether another is to follow at once does not depend on how they end. */
  #expect(dying: readonly Pid[], followed: ReadonlySet<Pid>): void {
    const { workers, molds } = this.#around
    for (const pid of dying) {
      const worker = followed.has(pid) ? workers.get(pid) : undefined
      try {
        if (worker) molds.reserve.expect(worker, this.#waits(worker.key))
      } catch {
        // What is in the way is told when the other is asked for.
      }
    }
  }

  reap(now: Ms): void {
    this.#around.report.after(() => this.#reap(now))
  }

  #bury(exits: readonly Exit[], now: Ms): void {
    for (const { pid } of exits) this.#lastWords(pid)
    for (const exit of exits) this.#left(exit, now)
    this.#settle(now)
    this.#settleHeirs(now)
  }

  #lastWords(pid: Pid): void {
    const { workers, wards } = this.#around
    workers.lastWords(pid)
    for (const ward of wards) ward.lastWords(pid)
  }

  #reap(now: Ms): void {
    const { kernel, workers, molds, wards, report } = this.#around
    const leaders = new Map([workers, ...wards].flatMap((keeper) => [...keeper.leaders()]))
    const { exits, strangers, blocked } = reapChildren(kernel, leaders, (pid) => this.#lastWords(pid), sessionMembers)
    for (const exit of exits) this.#left(exit, now)
    // One whose birth was heard among the last words of its mold was not known as ours before.
    for (const exit of strangers) if (!this.#left(exit, now) && !molds.keeps(exit)) report.adopted(exit)
    if (blocked) this.#lookAt = ms(now + LOOK_AGAIN)
    this.#settle(now)
    this.#settleHeirs(now)
  }

  /** When all exits are dealt with. */
  #settleHeirs(now: Ms): void {
    if (this.#events.length === 0) this.#around.molds.reserve.settle(this.#leaving.farewell(now))
  }

  /** False: it is nobody's here. */
  #left(exit: Exit, now: Ms): boolean {
    const { workers, molds, wards, report, listeners } = this.#around
    const worker = workers.get(exit.pid)
    if (!worker) return wards.some((ward) => ward.left(exit, now))
    const { key, pid, fault } = worker
    const phase = this.#memberOf(key)?.life.phase.kind
    report.left(worker, exit, phase === 'leaving')
    molds.promotions.workerLeft(exit)
    molds.reserve.revokeOf(pid)
    this.#events.push({ kind: 'exited', key, pid, exit, ...(fault && { fault }) })
    workers.forget(pid)
    if (phase === 'starting') listeners.forget(pid)
    else listeners.keep(pid)
    return true
  }

  command(now: Ms): void {
    this.#jobs.run()
    this.#settle(now)
  }

  judge(now: Ms, gap: Ms): void {
    if (this.#lookAt !== null && now >= this.#lookAt) this.#lookAt = null
    if (gap > 0) {
      this.#around.report.late(gap)
      this.#events.push({ kind: 'gap', ms: gap })
    }
    this.#events.push({ kind: 'tick' })
    this.#settle(now)
    for (const ward of this.#around.wards) ward.judge(now, gap)
    this.#around.molds.reserve.bequeath(
      () => followed(this.#pool, now, this.#policy),
      (key) => this.#waits(key),
    )
    if (this.isOver) this.#around.over()
  }

  deadline(now: Ms): Ms | null {
    const watched = this.#policy.life.silence !== null && this.#pool.members.length > 0
    const times = [
      deadline(this.#pool, this.#policy),
      this.#lookAt,
      watched ? ms(now + LOOK_EVERY) : null,
      ...this.#around.wards.map((ward) => ward.deadline(now)),
    ]
    return times.reduce(earliest, null)
  }

  reinstalled(signals: readonly Signal[]): void {
    this.#around.report.reinstalled(signals)
  }

  failed(error: unknown): void {
    this.#around.defect(error)
  }

  /** Deals with all events, those included that come of dealing with them; what takes too long goes on in the next turn. */
  #settle(now: Ms): void {
    const { kernel, wake } = this.#around
    const before = this.#pool
    while (this.#events.length > 0) {
      this.#next(now)
      if (kernel.now() - now >= LONGEST_SETTLING) break
    }
    if (this.#events.length > 0) wake()
    if (this.#pool !== before) this.#admit()
  }

  #next(now: Ms): void {
    const { pool, effects } = step(this.#pool, this.#events.shift()!, now, this.#policy)
    this.#pool = pool
    for (const effect of effects) this.#carryOut(effect)
  }

  #admit(): void {
    const { workers, listeners } = this.#around
    const accepting = admit(this.#pool, workers)
    if (this.#pool.mode === 'running') lend(accepting, workers, listeners)
  }

  #carryOut(effect: Effect): void {
    const { molds } = this.#around
    switch (effect.kind) {
      case 'spawn':
        return this.#spawn(effect.key)
      case 'abandon':
        // A spawn by fork/exec is answered in the same turn.
        return molds.abandon(effect.key)
      case 'signal':
        return this.#leaving.tell(effect.pid, effect.how)
      default:
        this.#generations.forget(this.#pool)
        molds.keepOnly(this.#pool)
        molds.noticed(effect, this.#pool)
        this.#around.report.noticed(effect, this.#pool)
        this.#around.told(effect)
        if (effect.kind === 'halted') this.stop('quick')
        return
    }
  }

  #spawn(key: Key): void {
    const { workers, molds } = this.#around
    const generation = this.#generations.of(key.generation)
    try {
      if (molds.serves(generation)) return molds.fork(key, generation, this.#waits(key))
      const { pid } = workers.start(key, generation, this.#waits(key))
      this.#events.push({ kind: 'spawned', key, pid })
    } catch (error) {
      this.#events.push({ kind: 'spawnFailed', key, error: (error as Error).message })
    }
  }

  /** Who is to take over from another serves only when it is good; so does everybody where `readyPath` says what good is. */
  #waits(key: Key): boolean {
    return this.#readyPath !== null || this.#memberOf(key)?.role !== 'holder'
  }

  #memberOf(key: Key): Member | undefined {
    return this.#pool.members.find((one) => sameKey(one.key, key))
  }
}
