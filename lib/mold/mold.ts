/**
 * A mold: a Node process that loads code once and is then forked for every process that runs it. From the keeper's `go`
 * to the forked process, which goes on as what it was forked for (`app.ts`, `../companion/mold.ts`).
 *
 *   go → insides muted → (code is loaded) → preFork hooks → quiet? → forks, blocking
 *                                                                      └► child: itself → its keeper's go → …
 */
import { Channel } from '../channel/channel.ts'
import { CHANNEL_VARIABLE } from '../channel/messages.ts'
import { type FromMold, MOLD_PROTOCOL, type MoldGo, TO_MOLD, type ToMold } from '../channel/mold-messages.ts'
import { loadKernel, loadMoldKernel } from '../kernel/addon.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { MoldKernel } from '../kernel/mold-kernel.ts'
import { type Fd, fd, type Ms, ms, type Pid } from '../units.ts'
import { becomeOneself } from './child.ts'
import { installClocks } from './clocks.ts'
import { compact } from './compact.ts'
import { keepCompiled } from './compile-cache.ts'
import { noteExits } from './exits.ts'
import { LateHook, runHooks } from './hooks.ts'
import { hasInspector } from './inspector.ts'
import { withPeers } from './peers.ts'
import { type Holdings, holdings, stillOpen } from './quiet.ts'
import { installRandomness, type Randomness } from './randomness.ts'
import { type RecordedListen, recordListen } from './recorded-listen.ts'
import { serveForks } from './serve.ts'
import { noteThreads } from './threads.ts'
import { noteUnreferenced } from './timers.ts'
import { warmUp } from './warm-up.ts'

/** Between two looks whether everything has come to rest, in milliseconds. */
const LOOK_EVERY = 10
/** At least, before what is open is complained of: what the rehearsal has used closes meanwhile. */
const LOOKS = 10
/** What is open is told of then; with `preloadOpen: warn` it is waited for no longer. */
const LONG = ms(2000)
/** Of the time for the boot. */
const HOOKS_SHARE = 0.9

export type MoldOptions = {
  /** What is loaded, for messages. */
  readonly what: string
  /** Children have the mold's own 1 and 2, or such as are of the same kind. */
  readonly sharesStreams: boolean
  /** What each child will do first, for V8 to have seen it. Leaves nothing open. */
  rehearse?(door: Kernel & MoldKernel): Promise<void>
}

/** What is open and in whose loading it came to be; none where that is not known. */
export type Blame = (open: readonly string[]) => number | undefined

export class Mold {
  readonly kernel: Kernel = loadKernel()
  readonly go: MoldGo
  /** Calls of `listen` while code is loaded. */
  readonly listen: RecordedListen
  readonly #options: MoldOptions
  readonly #began: Ms = this.kernel.now()
  readonly #mold: MoldKernel = loadMoldKernel()
  readonly #randomness: Randomness
  readonly #clocks = installClocks()
  readonly #unreferenced: () => number
  /** Who has started threads. */
  readonly #starters: readonly string[]
  /** The threads of libuv's pool, which each child starts again when it needs them. */
  readonly #pool: number
  #fd: Fd
  #channel: Channel<ToMold, FromMold>
  #before: Holdings

  /** Before any code is loaded; ends the process where this cannot be a mold. */
  constructor(options: MoldOptions) {
    const { [CHANNEL_VARIABLE]: number } = process.env
    delete process.env[CHANNEL_VARIABLE]
    this.#mold.ignoreInspectorSignal()
    this.#options = options
    this.#fd = fd(Number(number))
    this.kernel.setCloseOnExec(this.#fd, true)
    this.#channel = new Channel<ToMold, FromMold>(this.kernel, this.#fd, TO_MOLD)
    const first = this.#channel.waitFor((message): message is MoldGo => message.kind === 'go')
    if (first === 'end') process.exit(1)
    this.go = first.message
    if (this.go.protocol !== MOLD_PROTOCOL || this.go.keeper !== this.kernel.getppid()) process.exit(1)
    const missing = this.#mold.muteWorkerThreads() ?? this.#mold.leaveByExit()
    if (missing !== null)
      this.refuse({
        fault: 'cannotFork',
        text: `preload is not possible: this Node (${process.version}) lacks ${missing}`,
      })
    const alone = this.#mold.threads().length
    noteExits()
    warmUp(options.sharesStreams)
    this.#pool = this.#mold.threads().length - alone
    this.#before = { ...holdings(this.kernel, this.#mold), requests: 0 }
    this.#randomness = installRandomness()
    this.#unreferenced = noteUnreferenced()
    this.#starters = noteThreads()
    this.listen = recordListen(this.go.listeners)
  }

  /** How long what is loaded may still take. */
  get left(): Ms {
    return ms(Math.max(0, this.#began + this.go.patience - this.kernel.now()))
  }

  tell(message: FromMold): void {
    this.#channel.send(message)
  }

  /** How long the hooks of a forked process may take: its keeper's patience is not over then, and this can be said. */
  get hooksMayTake(): Ms {
    return ms(Math.floor(this.go.patience * HOOKS_SHARE))
  }

  /** The end: this is no mold. */
  refuse(failed: Omit<Extract<FromMold, { kind: 'failed' }>, 'kind'>): never {
    this.tell({ kind: 'failed', ...failed })
    return this.kernel.exit(1)
  }

  /** What is open that was not before any code was loaded, one phrase each. */
  open(): readonly string[] {
    const now = holdings(this.kernel, this.#mold)
    const { [this.#fd]: _own, ...descriptors } = now.descriptors
    const isInspected = now.threads > this.#before.threads && hasInspector()
    const starters = isInspected ? [...this.#starters, 'the inspector, by inspector.open'] : this.#starters
    return stillOpen(this.#before, { ...now, descriptors }, starters)
  }

  /**
   * Everything is loaded. Returns only in forked processes, each of which is itself by then: the descriptor of its own
   * channel. Rejects with an error of a `preFork` hook. `settled` is called when nothing can fail any more.
   */
  async untilForked(blame: Blame = () => undefined, settled: () => void = () => undefined): Promise<Fd> {
    await runHooks('preFork', this.left).catch((error) => {
      if (error instanceof LateHook) this.refuse({ fault: 'notQuiet', text: `${this.#options.what}: ${error.message}` })
      throw error
    })
    const unreferenced = this.#unreferenced()
    await this.#options.rehearse?.({ ...this.kernel, ...this.#mold })
    await this.#rest(blame)
    this.#tellOfCopies(unreferenced)
    return this.#fork(settled)
  }

  /**
   * In a forked process whose own work is over: it becomes a mold itself, on this channel. Returns only in processes that
   * are forked from it, as `untilForked` does, or where it cannot be one, which its keeper has been told then.
   */
  async ascend(channel: Fd, patience: Ms, hindrance: string | null): Promise<Fd | null> {
    this.#fd = channel
    this.kernel.setCloseOnExec(channel, true)
    this.#channel = new Channel<ToMold, FromMold>(this.kernel, channel, TO_MOLD)
    if (hindrance !== null) return this.#cannot(`it has ${hindrance}`)
    const deadline = this.kernel.now() + patience
    // All of the pool's threads or none: their number must be known.
    warmUp(false)
    try {
      await runHooks('preFork', patience)
    } catch (error) {
      if (error instanceof LateHook) return this.#cannot(error.message)
      return this.#cannot(`a preFork hook threw: ${String(error)}`)
    }
    for (let open = this.open(); open.length > 0; open = this.open()) {
      if (this.kernel.now() >= deadline)
        return this.#cannot(`it has open ${withPeers(open.join(', '))}; close them in preFork`)
      // Its keeper has given it up.
      if (this.kernel.receive(channel) === 'end') return this.#cannot('nobody asks for it any more')
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
    }
    return this.#fork()
  }

  #cannot(text: string): null {
    this.tell({ kind: 'failed', fault: 'notQuiet', text })
    this.#channel.close()
    return null
  }

  /** Nothing asynchronous from here to the fork: what was quiet stays quiet. */
  #fork(settled: () => void = () => undefined): Fd {
    this.#randomness.useUp()
    // V8 looks for the time zone when it is first asked for local time: by Node, for the first answer's `Date`.
    new Date().getMilliseconds()
    keepCompiled()
    compact(this.#mold)
    settled()
    this.#clocks.stop()
    this.tell({ kind: 'quiet' })
    const channel = serveForks(this.kernel, this.#mold, this.#fd, this.go.leader)
    becomeOneself(this.kernel, this.#randomness)
    if (this.go.promotes !== true) return channel
    const { descriptors, ...now } = holdings(this.kernel, this.#mold)
    const { [channel]: _own, ...others } = descriptors
    this.#before = { ...now, descriptors: others, threads: 1 + this.#pool, requests: 0 }
    return channel
  }

  /** Ends the watcher of this alarm, a thread. */
  endStackWatch(alarm: Fd): void {
    this.#mold.endStackWatch(alarm)
    this.kernel.close(alarm)
  }

  /**
   * In a forked process, when its keeper has said `go`: not before, as the end of the process in between would have fired
   * the signal. The keeper may be gone since.
   */
  dieWith(keeper: number): void {
    this.kernel.setParentDeathSignal('SIGKILL')
    if (this.kernel.getppid() !== keeper) this.kernel.exit(1)
    this.#clocks.goOn()
  }

  /** In a process that was forked ahead, while it waits: what the sibling has come to need is made ready. */
  touchAs(sibling: Pid): void {
    this.#mold.touchAs(sibling)
  }

  /** Waits until nothing is open or in flight that was not before. */
  async #rest(blame: Blame): Promise<void> {
    const loaded = this.kernel.now()
    const isRefused = this.go.open === 'refuse'
    for (let looks = 1, isTold = false; ; looks++) {
      const open = this.open()
      if (open.length === 0) return
      const isLong = this.kernel.now() - loaded >= LONG
      if ((this.left === 0 || (isLong && !isRefused)) && looks >= LOOKS) return this.#stillOpen(open, blame(open))
      if (isLong && !isTold)
        this.#say(
          'info',
          `${this.#whose(blame(open))} is loaded, and is forked when it has closed ${withPeers(open.join(', '))}`,
        )
      isTold = isLong
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
    }
  }

  #stillOpen(open: readonly string[], at: number | undefined): void {
    const text = `${this.#whose(at)} cannot be forked: when it was loaded it had open ${withPeers(open.join(', '))}; open them in postFork, or close them in preFork`
    if (this.go.open === 'refuse') this.refuse({ fault: 'notQuiet', text, ...(at !== undefined && { at }) })
    this.#say('warning', `${text}; forked all the same (preloadOpen: warn)`)
  }

  #whose(at: number | undefined): string {
    return at === undefined ? this.#options.what : this.go.modules![at]!.module
  }

  /** What every child has a copy of, and may wonder about. */
  #tellOfCopies(unreferenced: number): void {
    const [what, children] =
      this.go.modules === undefined ? ['the app was', 'worker'] : ['companions were', 'companion']
    const timers = holdings(this.kernel, this.#mold).timers + unreferenced
    if (timers > 0)
      this.#say('warning', `timers that were made while ${what} loaded tick in every ${children}: ${timers}`)
    const drawn = this.#randomness.drawn()
    if (drawn.length > 0)
      this.#say(
        'info',
        `random numbers were drawn while ${what} loaded, the same for all ${children}s: ${drawn.join(', ')}`,
      )
  }

  #say(level: 'info' | 'warning', text: string): void {
    this.tell({ kind: 'log', level, text })
  }
}
