/**
 * Calls the config file's hooks, in a process that exists only where there are any. They are called one after the other,
 * in the order of what happened; nothing waits for them but the first start (`onStarting`), the end (`onExit`) and an
 * upgrade (`preExec`), and these no longer than `hookTimeout`.
 */
import type { FromHooks } from '../../channel/hook-messages.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { HOOKS, type HookName, type HookServer } from '../../config/settings/hooks.ts'
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import type { Leader } from '../../runtime/reaper.ts'
import { deadline, earliest } from '../../supervision/deadline.ts'
import type { How } from '../../supervision/ladder.ts'
import { type Event, isAtRest, type Life, newLife, pidOf, step } from '../../supervision/life.ts'
import type { Pool } from '../../supervision/pool.ts'
import { type Fd, type Ms, ms, type Pid } from '../../units.ts'
import { hooksPolicy } from '../generations/policy.ts'
import type { Standard } from '../outputs.ts'
import type { Notice } from '../surroundings.ts'
import type { Ward } from '../ward.ts'
import { callsOf, type HookCall } from './calls.ts'
import { HookProcess } from './process.ts'
import { HookQueue, MOST_WAITING } from './queue.ts'
import type { HookReport } from './report.ts'

/** A process that runs its loop says itself that a hook is late; so much later it must be stuck. */
const MARGIN = 1000
/** What a quick stop leaves to `onExit`. */
const QUICK_EXIT = 2000

const SIGNAL = { terminate: 'SIGTERM', abort: 'SIGABRT', kill: 'SIGKILL' } as const

export type HooksParts = {
  readonly kernel: Kernel
  readonly report: HookReport
  readonly standard: () => Standard
  readonly pool: () => Pool
  /** Nothing is left to supervise but the hooks. */
  readonly othersGone: () => boolean
  readonly wake: () => void
}

type Settings = { readonly names: readonly HookName[]; readonly file: string | null; readonly timeout: Ms }

const settingsOf = ({ config, file }: LoadedConfig): Settings => ({
  names: file === null ? [] : HOOKS.filter((name) => config.hooks.includes(name)),
  file,
  timeout: config.hookTimeout,
})

export class Hooks implements Ward {
  readonly #parts: HooksParts
  readonly #queue = new HookQueue()
  readonly #events: Event[] = []
  #settings: Settings
  #life: Life = newLife(process.pid)
  #process: HookProcess | null = null
  #workers: number | null = null
  #stopping: 'graceful' | 'quick' | null = null
  /** When what is left of the calls is given up, once nothing else is left. */
  #endBy: Ms | null = null

  /** `waiting`: calls of the image before this one. */
  constructor(parts: HooksParts, loaded: LoadedConfig, waiting: readonly HookCall[] = []) {
    this.#parts = parts
    this.#settings = settingsOf(loaded)
    for (const call of waiting) this.#queue.push(call)
    if (this.#settings.names.length > 0) this.#events.push({ kind: 'start' })
  }

  /** Settings that were read again: the process starts anew, since a module once loaded stays as it is. */
  adopt(loaded: LoadedConfig): void {
    this.#settings = settingsOf(loaded)
    const { names } = this.#settings
    this.#events.push(names.length > 0 ? { kind: 'restart' } : { kind: 'stop', how: 'stop' })
    this.call('onReload', [this.#server()])
  }

  /** What may start calls: it is told everything that the pool says. */
  noticed(notice: Notice): void {
    if (this.#settings.names.length > 0) for (const call of callsOf(notice, this.#server())) this.#push(call)
  }

  /** Calls a hook with the server alone; calls back when it has ended or its time is over: at once where there is none. */
  before(hook: 'onStarting' | 'preExec', then: () => void): void {
    const { kernel } = this.#parts
    const until = ms(kernel.now() + this.#settings.timeout)
    if (!this.#push({ hook, args: [this.#server()] }, until, then)) then()
  }

  /** Calls `preExec`, and calls back when all that was to be called before is over: the process will not be there then. */
  beforeReplacement(then: () => void): void {
    const { kernel } = this.#parts
    const { names, timeout } = this.#settings
    const call: HookCall<'preExec'> = { hook: 'preExec', args: [this.#server()] }
    // Where there is no such hook its turn comes all the same.
    if (names.length === 0 || this.#queue.push(call, ms(kernel.now() + timeout), then) === null) return then()
    this.#parts.wake()
  }

  /** What has not been called yet, for another image of this process. */
  pack(): readonly HookCall[] {
    return this.#queue.calls
  }

  /** Log files that were opened anew; null: nothing to place. */
  reopen(fds: readonly Fd[] | null): void {
    if (fds !== null) this.#process?.tell({ kind: 'reopen', files: ['stdout', 'stderr'] }, fds)
  }

  get isGone(): boolean {
    if (this.#settings.names.length === 0) return isAtRest(this.#life)
    return this.#endBy !== null && isAtRest(this.#life) && this.#life.want === 'down'
  }

  stop(how: 'graceful' | 'quick'): void {
    if (this.#stopping !== 'quick') this.#stopping = how
    if (this.#endBy !== null && how === 'quick') this.#endBy = ms(Math.min(this.#endBy, this.#endOf(how)))
  }

  leaders(): ReadonlyMap<Pid, Leader> {
    const pid = pidOf(this.#life)
    return new Map(pid === null ? [] : [[pid, 'group']])
  }

  lastWords(pid: Pid): void {
    if (this.#process?.pid === pid) this.#process.hear()
  }

  left(exit: Exit, now: Ms): boolean {
    if (exit.pid !== pidOf(this.#life)) return false
    this.#process?.forget()
    this.#process = null
    const cut = this.#queue.cut()
    if (cut !== null) this.#parts.report.cutOff(cut.hook, exit)
    this.#events.push({ kind: 'exited', pid: exit.pid, exit })
    this.#settle(now)
    return true
  }

  judge(now: Ms, gap: Ms): void {
    const { report, kernel, pool, othersGone } = this.#parts
    if (gap > 0) {
      this.#events.push({ kind: 'gap', ms: gap })
      this.#queue.postpone(gap)
    }
    this.#events.push({ kind: 'tick' })
    const { size } = pool()
    const before = this.#workers
    this.#workers = size
    if (before !== null && size !== before) this.call('nworkersChanged', [this.#server(), size, before])
    for (const { hook } of this.#queue.expired(now)) if (this.#settings.names.includes(hook)) report.notCalled(hook)
    const stuck = this.#queue.stuck(now)
    if (stuck !== null && this.#process !== null) {
      report.stuck(stuck.hook)
      kernel.kill(this.#process.pid, 'SIGKILL')
      kernel.kill(this.#process.pid, 'SIGCONT')
      this.#queue.cut()
    }
    if (this.#stopping !== null && othersGone()) this.#end(now)
    this.#settle(now)
  }

  deadline(): Ms | null {
    const due = earliest(deadline(this.#life, this.#policy), this.#queue.deadline())
    return this.#queue.isEmpty ? due : earliest(due, this.#endBy)
  }

  get #policy() {
    return hooksPolicy(this.#settings.timeout)
  }

  #server(): HookServer {
    const { kernel, pool } = this.#parts
    const { generation, size } = pool()
    return { pid: kernel.getpid(), generation, workers: size }
  }

  call<Name extends HookName>(hook: Name, args: HookCall<Name>['args']): void {
    this.#push({ hook, args })
  }

  /** False: nobody will call it. */
  #push(call: HookCall, until: Ms | null = null, then?: () => void): boolean {
    if (!this.#settings.names.includes(call.hook)) return false
    const pushed = this.#queue.push(call, until, then)
    if (pushed === null) this.#parts.report.dropped(call.hook, MOST_WAITING)
    this.#parts.wake()
    return pushed !== null
  }

  #endOf(how: 'graceful' | 'quick'): Ms {
    const { timeout } = this.#settings
    return ms(this.#parts.kernel.now() + (how === 'quick' ? Math.min(timeout, QUICK_EXIT) : timeout))
  }

  /** Nothing else is left: `onExit` is the last call, and then the process leaves. */
  #end(now: Ms): void {
    if (this.#endBy === null) {
      this.#endBy = this.#endOf(this.#stopping ?? 'quick')
      this.call('onExit', [this.#server()])
    }
    const isLate = now >= this.#endBy
    if (isLate) for (const { hook } of this.#queue.drop()) this.#parts.report.notCalled(hook)
    if (isLate || this.#queue.isEmpty) this.#events.push({ kind: 'stop', how: isLate ? 'kill' : 'quick' })
  }

  #pump(now: Ms): void {
    const { timeout, names } = this.#settings
    const { kind } = this.#life.phase
    if (kind !== 'up' && kind !== 'proving') return
    const call = this.#queue.next(ms(now + timeout + MARGIN))
    if (call === null) return
    if (!names.includes(call.hook)) this.#queue.settle(call.id)
    else this.#process?.tell({ kind: 'call', id: call.id, hook: call.hook, args: call.args, within: timeout })
    if (this.#queue.size === 0) this.#parts.report.caughtUp()
    this.#pump(now)
  }

  #settle(now: Ms): void {
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      const from = this.#life
      const { life, effects } = step(from, event, now, this.#policy)
      this.#life = life
      if (from.phase.kind !== life.phase.kind) this.#parts.report.moved(life)
      for (const effect of effects) {
        if (effect.kind === 'spawn') this.#spawn()
        else if (effect.kind === 'signal') this.#signal(effect.pid, effect.how)
      }
    }
    this.#pump(now)
  }

  #spawn(): void {
    const { kernel, standard, report } = this.#parts
    try {
      const started: HookProcess = new HookProcess(
        kernel,
        this.#settings.file!,
        standard(),
        (message) => this.#heard(started.pid, message),
        (why) => report.garbled(why),
      )
      this.#process = started
      this.#events.push({ kind: 'spawned', pid: started.pid })
    } catch (error) {
      this.#events.push({ kind: 'spawnFailed', error: (error as Error).message })
    }
  }

  #heard(pid: Pid, message: FromHooks): void {
    const { report, wake } = this.#parts
    switch (message.kind) {
      case 'announced':
      case 'ready':
        this.#events.push({ kind: message.kind, pid })
        break
      case 'unusable':
        report.unusable(this.#settings.file!, message.text, message.stack)
        break
      default: {
        const call = this.#queue.settle(message.id)
        if (call !== null && message.kind === 'threw') report.threw(call.hook, message.text, message.stack)
        if (call !== null && message.kind === 'late') report.late(call.hook, this.#settings.timeout)
      }
    }
    wake()
  }

  /** It has no watcher for its stack; where it hangs, the next step of its ladder follows. */
  #signal(pid: Pid, how: How): void {
    const { kernel } = this.#parts
    if (how === 'stack') return
    if (how === 'drain' || how === 'quit') {
      if (this.#process?.tell({ kind: 'stop' })) return
      kernel.kill(pid, 'SIGTERM')
    } else kernel.kill(pid, SIGNAL[how])
    kernel.kill(pid, 'SIGCONT')
  }
}
