/** The mold of an app: what is forked from it goes on as a worker. */
import { EventEmitter } from 'node:events'
import type { Server } from 'node:net'
import { type Fd, pid } from '../units.ts'
import type { Boot } from '../worker/app/boot.ts'
import { Faults } from '../worker/app/faults.ts'
import { type Begin, keeps, prepare } from '../worker/begin.ts'
import { becomeClusterWorker, refuseFork } from '../worker/cluster.ts'
import { runBeforeApp, setBeforeApp } from '../worker/hooks/before-app-task.ts'
import { loadHooks } from '../worker/hooks/load.ts'
import { waitingFor } from '../worker/hooks/prepare.ts'
import { NOBODY_HEARS, offerSend } from '../worker/identity.ts'
import { type Ends, joinOn } from '../worker/join.ts'
import { cannotListenAgain, listenAgain, type Past, type Retired } from '../worker/lineage.ts'
import { noteTicketKeys } from '../worker/tickets.ts'
import { hasHooks, runHooks } from './hooks.ts'
import { openInspector } from './inspector.ts'
import { Loading } from './loading.ts'
import { Mold } from './mold.ts'
import { Rehearsal } from './rehearsal.ts'

/** To take such a server over calls no code of the app. */
const isPlain = (server: Server): boolean =>
  METHODS.every((name) => server[name] === EventEmitter.prototype[name]) &&
  server.listenerCount('newListener') + server.listenerCount('removeListener') === 0

const METHODS = ['on', 'prependListener', 'removeListener', 'listeners'] as const

export class AppMold {
  /** Made first: it holds on to functions as they are now. */
  readonly #rehearsal = new Rehearsal()
  readonly #mold: Mold
  readonly #file: string
  readonly #faults: Faults
  readonly #loading: Loading
  readonly #unwatch: () => void
  /** The app said `process.send('ready')` while it was loaded. */
  #said = false

  /** Before the app is loaded; ends the process where this cannot be a mold. `file`: the app's, absolute. */
  constructor(file: string) {
    this.#file = file
    this.#mold = new Mold({ what: file, sharesStreams: true, rehearse: (door) => this.#rehearsal.run(door) })
    this.#faults = new Faults(
      file,
      () => true,
      (fault) => this.#mold.tell({ kind: 'failed', ...fault }),
    )
    this.#loading = new Loading(this.#mold)
    noteTicketKeys()
    offerSend({
      ready: () => {
        this.#said = true
      },
      dropped: () => this.#mold.tell({ kind: 'log', level: 'warning', text: NOBODY_HEARS }),
    })
    // As in a worker; asked for its end, it cannot give it.
    if (this.#mold.go.clusterWorker === true) becomeClusterWorker(0, () => undefined)
    refuseFork(() => this.#faults.forked())
    this.#unwatch = this.#faults.watch()
    const { hooksFile } = this.#mold.go
    if (hooksFile !== undefined)
      setBeforeApp(() =>
        waitingFor(
          hooksFile,
          this.#faults,
          loadHooks(hooksFile).then(() => undefined),
        ),
      )
  }

  /** What the app's own error was, told as a worker tells it. */
  threw(error: unknown): never {
    return this.#faults.threw(error)
  }

  /**
   * Resolves when this was evaluated, or waits for what comes in the children only. Ends the process when it takes too
   * long.
   */
  loaded<T>(evaluating: Promise<T>): Promise<T | 'atRest'> {
    return this.#loading.done(evaluating, () => {
      const open = this.#mold.open()
      const text = `${this.#file} has not been evaluated to its end after ${this.#mold.go.patience / 1000} s: a top-level await that nothing has settled`
      this.#mold.refuse({
        fault: 'notQuiet',
        text: open.length === 0 ? text : `${text}; it has open ${open.join(', ')}`,
      })
    })
  }

  /**
   * The app is loaded. Returns only in forked processes: the boot of a worker, to be told what the module exports. The
   * hooks of the app have run, and what it had asked to listen on is listened on.
   */
  async serve(): Promise<Boot> {
    const channel = await this.#mold.untilForked(undefined, () => this.#settled()).catch((error) => this.threw(error))
    this.#mold.listen.restore()
    const boot = this.#begin(channel, null)
    await runBeforeApp()
    await runHooks('postFork', this.#mold.hooksMayTake)
    this.#mold.listen.replay()
    if (this.#said) boot.said()
    return boot
  }

  #settled(): void {
    this.#unwatch()
    this.#loading.end()
  }

  /** A worker becomes a mold; what is forked from it goes on as a worker again. */
  async #promote({ past, alarm, channel, patience }: Retired): Promise<void> {
    this.#mold.endStackWatch(alarm)
    const own = await this.#mold.ascend(channel, patience, cannotListenAgain(past))
    if (own === null) return
    const boot = this.#begin(own, past)
    await runHooks('postFork', this.#mold.hooksMayTake)
    listenAgain(past)
    boot.again()
    return new Promise(() => undefined)
  }

  #begin(channel: Fd, past: Past | null): Boot {
    const { kernel, go } = this.#mold
    let begin: Begin | null = null
    const joined = joinOn(kernel, channel, ({ arbiter, sibling }, ends) => {
      this.#mold.dieWith(arbiter)
      if (sibling !== undefined) this.#mold.touchAs(pid(sibling))
      if (keeps(ends.settings)) begin = this.#prepare(ends, past)
    })
    if (typeof joined === 'string') return kernel.exit(1)
    this.#mold.dieWith(joined.go.arbiter)
    if (go.inspect === true) openInspector()
    return (begin ?? this.#prepare(joined, past))(joined)
  }

  #prepare(ends: Ends, past: Past | null): Begin {
    const { kernel, go } = this.#mold
    const lineage = go.promotes === true ? { past, promote: (worker: Retired) => this.#promote(worker) } : null
    const isNext = past === null && !hasHooks('postFork') && ends.settings.hooksFile === null
    return prepare(kernel, ends, this.#file, lineage, isNext ? this.#mold.listen.servers().filter(isPlain) : [])
  }
}
