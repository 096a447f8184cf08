/**
 * A mold: a Node process that loads the app once and is then forked for every worker. From the keeper's `go` to the
 * forked process, which goes on as a worker.
 *
 *   go → insides muted → (the app is loaded) → preFork hooks → quiet? → forks, blocking
 *                                                                         └► child: itself → worker → postFork hooks
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Channel } from '../channel/channel.ts'
import { CHANNEL_VARIABLE } from '../channel/messages.ts'
import { type FromMold, MOLD_PROTOCOL, type MoldGo, TO_MOLD, type ToMold } from '../channel/mold-messages.ts'
import { loadKernel, loadMoldKernel } from '../kernel/addon.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { MoldKernel } from '../kernel/mold-kernel.ts'
import { type Fd, fd, type Ms, ms } from '../units.ts'
import { begin } from '../worker/begin.ts'
import type { Boot } from '../worker/boot.ts'
import { Faults } from '../worker/faults.ts'
import { joinOn } from '../worker/join.ts'
import { noteTicketKeys } from '../worker/tickets.ts'
import { becomeOneself } from './child.ts'
import { runHooks } from './hooks.ts'
import { type Holdings, holdings, stillOpen } from './quiet.ts'
import { installRandomness, type Randomness } from './randomness.ts'
import { type RecordedListen, recordListen } from './recorded-listen.ts'
import { serveForks } from './serve.ts'
import { warmUp } from './warm-up.ts'

/** How long the keeper may take to say `go`. */
const PATIENCE = ms(30_000)
/** Between two looks whether everything has come to rest, in milliseconds. */
const LOOK_EVERY = 10

export class Mold {
  readonly #kernel: Kernel = loadKernel()
  readonly #began: Ms = this.#kernel.now()
  readonly #mold: MoldKernel = loadMoldKernel()
  readonly #fd: Fd
  readonly #channel: Channel<ToMold, FromMold>
  readonly #go: MoldGo
  readonly #faults: Faults
  readonly #file: string
  readonly #randomness: Randomness
  readonly #listen: RecordedListen
  readonly #before: Holdings

  /** Before the app is loaded; ends the process where this cannot be a mold. `file`: the app's, absolute. */
  constructor(file: string) {
    const { [CHANNEL_VARIABLE]: number } = process.env
    delete process.env[CHANNEL_VARIABLE]
    this.#fd = fd(Number(number))
    this.#kernel.setCloseOnExec(this.#fd, true)
    this.#channel = new Channel<ToMold, FromMold>(this.#kernel, this.#fd, TO_MOLD)
    const first = this.#channel.wait((message): message is MoldGo => message.kind === 'go', PATIENCE)
    if (first === null || first === 'end') process.exit(1)
    this.#go = first.message
    if (this.#go.protocol !== MOLD_PROTOCOL || this.#go.keeper !== this.#kernel.getppid()) process.exit(1)
    this.#file = file
    this.#faults = new Faults(file, true, (fault) => void this.#channel.send({ kind: 'failed', ...fault }))
    const missing = this.#mold.muteWorkerThreads()
    if (missing !== null)
      this.#refuse('cannotFork', `preload is not possible: this Node (${process.version}) lacks ${missing}`)
    warmUp()
    this.#before = { ...holdings(this.#kernel, this.#mold), requests: 0 }
    this.#randomness = installRandomness()
    this.#listen = recordListen()
    noteTicketKeys()
    this.#faults.watch()
  }

  /** What the app's own error was, told as a worker tells it. */
  threw(error: unknown): never {
    return this.#faults.threw(error)
  }

  /** Resolves when the app has nothing left to do but to serve what it has asked to listen on. */
  listensOnly(): Promise<void> {
    return new Promise((resolve) => {
      const atRest = (): void => {
        if (this.#listen.isEmpty()) return
        process.off('beforeExit', atRest)
        resolve()
        // Promises go on in a turn of the loop only.
        setImmediate(() => undefined)
      }
      process.on('beforeExit', atRest)
    })
  }

  /**
   * The app is loaded. Returns only in forked processes: the boot of a worker, to be told what the module exports. The
   * hooks of the app have run, and what it had asked to listen on is listened on.
   */
  async serve(): Promise<Boot> {
    await runHooks('preFork').catch((error) => this.threw(error))
    await this.#rest()
    this.#faults.settle()
    this.#tellOfCopies()
    this.#randomness.useUp()
    collectGarbage()
    // Nothing asynchronous from here to the fork: what was quiet stays quiet.
    this.#channel.send({ kind: 'quiet' })
    const channel = serveForks(this.#kernel, this.#mold, this.#fd, this.#go.leader)
    becomeOneself(this.#kernel, this.#randomness)
    const joined = joinOn(this.#kernel, channel)
    if (typeof joined === 'string') return this.#kernel.exit(1)
    // Only now: the end of the process in between would have fired it. The parent may be gone since.
    this.#kernel.setParentDeathSignal('SIGKILL')
    if (this.#kernel.getppid() !== joined.go.arbiter) return this.#kernel.exit(1)
    this.#listen.restore()
    const boot = begin(this.#kernel, joined, this.#file)
    await runHooks('postFork')
    this.#listen.replay()
    return boot
  }

  /** Waits until nothing is open or in flight that was not before. */
  async #rest(): Promise<void> {
    const deadline = this.#began + this.#go.patience
    for (;;) {
      const open = stillOpen(this.#before, holdings(this.#kernel, this.#mold))
      if (open.length === 0) return
      if (this.#kernel.now() >= deadline) return this.#stillOpen(open)
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
    }
  }

  #stillOpen(open: readonly string[]): void {
    const text = `${this.#file} cannot be forked: when it was loaded it had open ${open.join(', ')}; open them in postFork, or close them in preFork`
    if (this.#go.open === 'refuse') this.#refuse('notQuiet', text)
    this.#say('warning', `${text}; forked all the same (preloadOpen: warn)`)
  }

  /** What every child has a copy of, and may wonder about. */
  #tellOfCopies(): void {
    const { timers } = holdings(this.#kernel, this.#mold)
    if (timers > 0)
      this.#say('warning', `${timers} timers were made while the app was loaded: they tick in every worker`)
    const drawn = this.#randomness.drawn()
    if (drawn.length > 0)
      this.#say(
        'info',
        `random numbers were drawn while the app was loaded, the same for all workers: ${drawn.join(', ')}`,
      )
  }

  #say(level: 'info' | 'warning', text: string): void {
    this.#channel.send({ kind: 'log', level, text })
  }

  #refuse(fault: 'cannotFork' | 'notQuiet', text: string): never {
    this.#faults.settle()
    this.#channel.send({ kind: 'failed', fault, text })
    return this.#kernel.exit(1)
  }
}

/** The heap as small as it gets: each page that is not written to later stays shared. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
}
