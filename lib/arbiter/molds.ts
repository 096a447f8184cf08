/**
 * Workers by fork, for generations with `preload`: a mold for each, started when the first worker is asked for, and again
 * when one is asked for after it has died. What has gone wrong with it is told to the lives that asked, whose own back-off
 * then decides when it is tried again.
 *
 *   ask ──► mold forks twice ──► the worker is adopted by us ──► reply ──► spawned
 *                                        └► it may die and be reaped before the reply is read: its exit is kept
 */
import type { FromMold } from '../channel/mold-messages.ts'
import type { Exit, Kernel } from '../kernel/kernel.ts'
import type { Leader } from '../runtime/reaper.ts'
import { sameKey } from '../supervision/pool/key.ts'
import type { Event, Key, Pool } from '../supervision/pool.ts'
import { type Ms, type Pid, pid } from '../units.ts'
import type { Generation } from './generation.ts'
import { type Failed, MoldProcess } from './mold-process.ts'
import type { MoldReport } from './mold-report.ts'
import type { Ward } from './ward.ts'
import type { Standard, Unborn, Workers } from './workers.ts'

type Request = { readonly unborn: Unborn; readonly standard: Standard; readonly mold: MoldProcess; abandoned: boolean }

export type MoldParts = {
  readonly kernel: Kernel
  readonly workers: Workers
  readonly report: MoldReport
  readonly happened: (event: Event) => void
  /** The generation of that number. */
  readonly generationOf: (number: number) => Generation
}

export class Molds implements Ward {
  readonly #parts: MoldParts
  readonly #molds = new Map<Generation, MoldProcess>()
  /** Told to end, and not reaped yet. */
  readonly #ending = new Map<Pid, MoldProcess>()
  readonly #requests = new Map<number, Request>()
  /** Exits of processes that nobody knows yet, while requests are open. */
  readonly #early = new Map<Pid, Exit>()
  /** Generations that cannot be preloaded, and whose workers are exec'd instead (`preloadFallback`). */
  readonly #fallen = new WeakSet<Generation>()
  #last = 0

  constructor(parts: MoldParts) {
    this.#parts = parts
  }

  /** Whether workers of this generation are forked. */
  serves(generation: Generation): boolean {
    return generation.config.preload && !this.#fallen.has(generation)
  }

  /** Asks for a worker. Throws where the mold itself cannot be started. */
  fork(key: Key, generation: Generation, standard: Standard, waits: boolean): void {
    const { workers } = this.#parts
    const unborn = workers.prepare(key, generation, standard, waits)
    try {
      const mold = this.#moldOf(generation, standard)
      const request = ++this.#last
      this.#requests.set(request, { unborn, standard, mold, abandoned: false })
      mold.ask(request, unborn, standard)
    } catch (error) {
      workers.discard(unborn)
      throw error
    }
  }

  /** Nothing may come of what was asked for under this key. A mold that was not even loaded by then never will be. */
  abandon(key: Key): void {
    for (const request of this.#requests.values()) {
      if (!sameKey(request.unborn.key, key)) continue
      request.abandoned = true
      if (!request.mold.isQuiet && this.#molds.get(request.mold.generation) === request.mold) this.#end(request.mold)
    }
  }

  /** Whether this exit of an unknown process may be that of a worker whose birth we have not heard of yet. */
  keeps(exit: Exit): boolean {
    if (this.#requests.size === 0) return false
    this.#early.set(exit.pid, exit)
    return true
  }

  /** Ends the molds of generations that no worker will be started from any more. */
  keepOnly({ mode, generation, reload }: Pool): void {
    const { generationOf } = this.#parts
    const wanted = new Set<Generation>()
    if (mode === 'running') {
      wanted.add(generationOf(generation))
      if (reload !== null) wanted.add(generationOf(reload.generation))
    }
    for (const [of, mold] of this.#molds) if (!wanted.has(of)) this.#end(mold)
  }

  get isGone(): boolean {
    return this.#molds.size === 0 && this.#ending.size === 0
  }

  leaders(): ReadonlyMap<Pid, Leader> {
    const all = [...this.#molds.values(), ...this.#ending.values()]
    return new Map(all.map((mold) => [mold.pid, 'group']))
  }

  lastWords(of: Pid): void {
    this.#find(of)?.hear()
  }

  left(exit: Exit): boolean {
    const mold = this.#find(exit.pid)
    if (mold === undefined) return false
    const wasEnding = this.#ending.delete(exit.pid)
    if (this.#molds.get(mold.generation) === mold) this.#molds.delete(mold.generation)
    mold.forget()
    if (!wasEnding) this.#parts.report.left(mold, exit)
    const falls = !wasEnding && mold.failed !== null && mold.generation.config.preloadFallback && !isOfApp(mold.failed)
    if (falls) this.#fallen.add(mold.generation)
    for (const [number, request] of this.#requests) {
      if (request.mold !== mold) continue
      this.#requests.delete(number)
      if (falls) this.#startOtherwise(request)
      else this.#failed(request, mold.failed, `its mold ${mold.isQuiet ? 'has died' : 'did not come up'}`)
    }
    if (falls) this.#parts.report.falls(mold)
    this.#forgetEarly()
    return true
  }

  judge(): void {}

  deadline(): Ms | null {
    return null
  }

  stop(): void {
    for (const mold of [...this.#molds.values()]) this.#end(mold)
  }

  #moldOf(generation: Generation, standard: Standard): MoldProcess {
    const there = this.#molds.get(generation)
    if (there) return there
    const { kernel, report } = this.#parts
    const mold: MoldProcess = new MoldProcess(kernel, generation, standard, (message) => this.#heard(mold, message))
    this.#molds.set(generation, mold)
    report.started(mold)
    return mold
  }

  #heard(mold: MoldProcess, message: FromMold): void {
    switch (message.kind) {
      case 'quiet':
        return this.#parts.report.quiet(mold)
      case 'log':
        return this.#parts.report.said(mold, message)
      case 'failed':
        return // its exit follows
      case 'forked':
        return this.#born(message.request, pid(message.pid))
      case 'forkFailed': {
        const request = this.#take(message.request)
        if (request) this.#failed(request, null, message.text)
        return
      }
    }
  }

  #born(number: number, child: Pid): void {
    const { kernel, workers, happened } = this.#parts
    const request = this.#take(number)
    const exit = this.#early.get(child)
    this.#early.delete(child)
    if (request === undefined || request.abandoned) {
      // Reaped as an orphan.
      if (exit === undefined) kernel.kill(child, 'SIGKILL')
      if (request) workers.discard(request.unborn)
      this.#forgetEarly()
      return
    }
    const { key } = request.unborn
    workers.adopt(request.unborn, child)
    happened({ kind: 'spawned', key, pid: child })
    if (exit !== undefined) {
      happened({ kind: 'exited', key, pid: child, exit })
      workers.forget(child)
    }
    this.#forgetEarly()
  }

  /** By fork/exec after all. */
  #startOtherwise({ unborn, standard, abandoned }: Request): void {
    const { workers, happened } = this.#parts
    const { key, generation, waits } = unborn
    workers.discard(unborn)
    if (abandoned) return
    try {
      happened({ kind: 'spawned', key, pid: workers.start(key, generation, standard, waits).pid })
    } catch (error) {
      happened({ kind: 'spawnFailed', key, error: (error as Error).message })
    }
  }

  #failed({ unborn, abandoned }: Request, failed: Failed | null, otherwise: string): void {
    this.#parts.workers.discard(unborn)
    if (abandoned) return
    const isApps = failed !== null && isOfApp(failed)
    const fault = isApps && { fault: failed.fault, text: failed.text, ...(failed.stack && { stack: failed.stack }) }
    const error = failed?.text ?? otherwise
    this.#parts.happened({ kind: 'spawnFailed', key: unborn.key, error, ...(fault && { fault }) })
  }

  #take(number: number): Request | undefined {
    const request = this.#requests.get(number)
    this.#requests.delete(number)
    return request
  }

  /** Without an open request an unknown exit was an orphan's. */
  #forgetEarly(): void {
    if (this.#requests.size === 0) this.#early.clear()
  }

  #end(mold: MoldProcess): void {
    this.#molds.delete(mold.generation)
    this.#ending.set(mold.pid, mold)
    mold.kill()
  }

  #find(of: Pid): MoldProcess | undefined {
    return this.#ending.get(of) ?? [...this.#molds.values()].find((mold) => mold.pid === of)
  }
}

/** Another way of starting workers would not help an app that is broken. */
const isOfApp = ({ fault }: Failed): boolean => fault !== 'notQuiet' && fault !== 'cannotFork'
