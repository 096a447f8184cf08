/**
 * Who was forked ahead, until it is a worker. When a worker dies that is followed at once, the other is told to begin at
 * that very moment, by the kernel boundary: this is the worker's will. So one may have begun before anything here knows of
 * it; whoever wants to do something with it asks first (`ready`).
 *
 *   waits ─┬─► `ready`: another is needed ─────────────────────────► a worker
 *          ├─► `expect`: a worker is dying ────────────┬─► an heir ─► a worker, when the other was reaped
 *          └─► has begun, by the will of one that dies ┘
 */
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import type { MoldProcess } from '../../runtime/mold-process.ts'
import type { Leader } from '../../runtime/reaper.ts'
import { earliest } from '../../supervision/deadline.ts'
import type { Key } from '../../supervision/pool.ts'
import type { Ms, Pid } from '../../units.ts'
import type { Generation } from '../generations/generation.ts'
import type { Farewell } from '../leaving.ts'
import type { Unborn, Worker, Workers } from '../workers.ts'
import { Heirs } from './heirs.ts'
import { type Spare, Spares } from './spares.ts'

type Parts = {
  readonly kernel: Pick<Kernel, 'kill'>
  readonly workers: Pick<
    Workers,
    'all' | 'bequeath' | 'bury' | 'call' | 'called' | 'discard' | 'dismiss' | 'get' | 'prepare'
  >
  /** Asks for a turn. */
  readonly wake: () => void
  /** The mold that the next worker of this generation is forked from, if that is known yet. */
  readonly moldOf: (generation: Generation) => MoldProcess | undefined
  /** A worker has begun that was forked from this mold. */
  readonly begun: (worker: Worker, mold: MoldProcess) => void
}

export class Reserve {
  readonly #parts: Parts
  readonly #spares: Spares
  readonly #heirs: Heirs
  /** For each mold whom the spare would be, by the worker whose will it is. */
  readonly #wills = new Map<MoldProcess, Map<Pid, Unborn>>()
  /** Whether a worker may be without a will that should have one. */
  #incomplete = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#spares = new Spares(parts)
    this.#heirs = new Heirs(parts)
  }

  /** A worker of this mold is up, or it is itself: it is to have a spare, as soon as nothing else is to be done. */
  owe(mold: MoldProcess): void {
    this.#spares.owe(mold)
    this.#incomplete = true
  }

  /** Whether this mold is to be asked for one now. `isCalm`: nobody is being born. */
  isDue(mold: MoldProcess, isCalm: boolean, now: Ms): boolean {
    return this.#spares.isDue(mold, isCalm, now)
  }

  /** Nobody is asked for one now, nor waited for. */
  rest(): void {
    this.#spares.rest()
  }

  get deadline(): Ms | null {
    return earliest(this.#spares.deadline, this.#heirs.deadline)
  }

  born(mold: MoldProcess, spare: Spare): void {
    this.#spares.born(mold, spare)
    this.#incomplete = true
    this.#parts.wake()
  }

  /** What was asked for and has come too late. */
  end(spare: Spare): void {
    this.#spares.end(spare)
  }

  /** For `status`. */
  of(mold: MoldProcess): Spare | null {
    return this.#spares.of(mold)
  }

  /** The spare of this mold, for whatever is to be done with it: no will has it begin any more. Null: it has none. */
  ready(mold: MoldProcess): Spare | null {
    const spare = this.#spares.of(mold)
    const wills = this.#wills.get(mold)
    if (spare === null || wills === undefined) return spare
    this.#wills.delete(mold)
    this.#incomplete = true
    const of = spare.ends.channel.revoke()
    if (of === null) return spare
    this.#begin(of, mold, () => this.#parts.workers.called(wills.get(of)!, spare.pid))
    return null
  }

  /** It is somebody now: its process and its channel are the worker's. */
  taken(mold: MoldProcess): void {
    this.#spares.taken(mold)
  }

  /** This mold has none any more, and is owed none. */
  drop(mold: MoldProcess): void {
    this.ready(mold)
    this.#spares.drop(mold)
  }

  /** Whatever they have open is not what it should be any more: others come in their place. */
  renew(): void {
    this.revoke()
    this.#spares.renew()
  }

  /** Wills that are made from now on may be others. Whoever has begun by one is known when this returns. */
  revoke(): void {
    for (const mold of [...this.#wills.keys()]) this.ready(mold)
  }

  /** This worker is to go, or is gone. Whoever has begun by its will is known when this returns. */
  revokeOf(worker: Pid): void {
    for (const [mold, wills] of [...this.#wills]) if (wills.has(worker)) this.ready(mold)
  }

  /** Has those leave a will for whom one waits and who are followed, and nobody else. */
  bequeath(followed: () => ReadonlySet<Pid>, waits: (key: Key) => boolean): void {
    if (!this.#incomplete && this.#wills.size === 0) return
    const isFollowed = followed()
    for (const wills of [...this.#wills.values()])
      for (const pid of wills.keys()) if (!isFollowed.has(pid)) this.revokeOf(pid)
    if (!this.#incomplete) return
    this.#incomplete = false
    for (const worker of this.#parts.workers.all()) {
      const mold = this.#parts.moldOf(worker.generation)
      const spare = mold && this.#spares.of(mold)
      if (!spare || this.#wills.get(mold)?.has(worker.pid)) continue
      if (isFollowed.has(worker.pid)) this.#bequeath(worker, mold, spare, waits(worker.key))
      else this.#incomplete = true
    }
  }

  /** This worker is dying, and another will be asked for under its key when it has been reaped: that one begins now. */
  expect({ key, pid, generation }: Worker, waits: boolean): void {
    const { workers, moldOf } = this.#parts
    this.revokeOf(pid)
    const mold = this.#heirs.has(key) ? undefined : moldOf(generation)
    const spare = mold && this.ready(mold)
    if (!spare) return
    const unborn = workers.prepare(key, generation, waits, spare.ends)
    this.#begin(pid, mold, () => workers.call(unborn, spare.pid))
  }

  /** Who has begun to follow under this key, if anyone has; it is a worker from now on. */
  heir(key: Key): Worker | undefined {
    return this.#heirs.take(key)
  }

  /** Nobody has asked for those whose predecessors are gone. */
  settle(farewell: Farewell): void {
    this.#heirs.dismissOrphaned(farewell)
  }

  /** Those that leave are to be quicker. */
  hasten(farewell: Farewell): void {
    this.#heirs.hasten(farewell)
  }

  judge(now: Ms, gap: Ms): void {
    this.#heirs.judge(now, gap)
  }

  /** Whether anybody serves whom nobody knows yet, or any more. */
  get hasBegun(): boolean {
    return !this.#heirs.isGone
  }

  get isGone(): boolean {
    return this.#spares.isGone && this.#heirs.isGone
  }

  leaders(): readonly (readonly [Pid, Leader])[] {
    return [...this.#spares.leaders(), ...this.#heirs.leaders()]
  }

  /** One was reaped; `unexpected`: while it waited. Null: it is none of these. */
  left(exit: Exit): 'dropped' | 'unexpected' | null {
    for (const mold of [...this.#wills.keys()]) if (this.#spares.of(mold)?.pid === exit.pid) this.ready(mold)
    return this.#spares.left(exit) ?? (this.#heirs.left(exit) ? 'dropped' : null)
  }

  #bequeath({ pid, key, generation }: Worker, mold: MoldProcess, { ends }: Spare, waits: boolean): void {
    const { workers } = this.#parts
    const unborn = workers.prepare(key, generation, waits, ends)
    workers.bequeath(pid, unborn)
    this.#wills.set(mold, (this.#wills.get(mold) ?? new Map()).set(pid, unborn))
  }

  /** The spare of this mold follows. One that cannot be told all is ended, and another will be asked for. */
  #begin(of: Pid, mold: MoldProcess, call: () => Worker): void {
    let worker: Worker
    try {
      worker = call()
    } catch {
      return this.#spares.drop(mold)
    }
    this.#spares.taken(mold)
    this.#parts.begun(worker, mold)
    this.#heirs.add(of, worker)
  }
}
