/**
 * `target` companions by fork, with `preload`: one mold that has all their modules loaded. It is started when the first of
 * them is asked for, and again when one is asked for after it has died, or after somebody said `start`, `restart` or
 * `reread`: their code may be new. Who cannot be forked is exec'd, which one line says.
 */

import type { PreloadConfig } from '../channel/manager-messages.ts'
import type { FromMold, Loaded } from '../channel/mold-messages.ts'
import type { CompanionConfig } from '../config/companions.ts'
import type { Exit, Kernel } from '../kernel/kernel.ts'
import { Forks } from '../runtime/forks.ts'
import { type MoldProcess, startMold } from '../runtime/mold-process.ts'
import type { Leader } from '../runtime/reaper.ts'
import { Silence } from '../runtime/silence.ts'
import type { Event } from '../supervision/companions.ts'
import { exitWords } from '../supervision/describe.ts'
import { type Fd, type Ms, ms, type Pid } from '../units.ts'
import type { Children, Unborn } from './children.ts'
import { type Candidate, type Common, commonOf, moduleOf, whyNot } from './common.ts'
import { openInherited } from './outputs.ts'
import { companionEnvironment, companionMoldPlan } from './plan.ts'
import type { Report } from './report.ts'

type Environment = Readonly<Record<string, string>>
type Wanted = { readonly config: CompanionConfig; readonly env: Environment }
/** Wanted of code that is at least as new as that edition. */
type Waiting = Wanted & { readonly edition: number }

type Mold = {
  readonly process: MoldProcess
  readonly common: Common
  readonly edition: number
  /** When it must have said that it is quiet, or why not. */
  readonly due: Ms
  loaded: Loaded | null
  /** The module that it has begun with. */
  at: number | null
}

export type MoldsParts = {
  readonly kernel: Kernel
  readonly children: Children
  readonly report: Report
  readonly happened: (event: Event) => void
  /** One of the companions was reaped. */
  readonly left: (exit: Exit) => void
  /** All that may be asked for: what they have in common is what the mold is started with. */
  readonly companions: () => readonly CompanionConfig[]
}

export class Molds {
  readonly #parts: MoldsParts
  readonly #forks: Forks<Unborn>
  readonly #silence = new Silence()
  #mold: Mold | null = null
  /** Of no use any more: told to end, or as soon as nobody waits for it. */
  readonly #old = new Map<Pid, Mold>()
  /** Asked for, and not asked of a mold yet. */
  #waiting: Waiting[] = []
  /** Of the code: the next one whenever it may be new. */
  #edition = 0
  /** Why what a module asks for cannot be had by fork, by `keyOf`: exec'd, or failed. */
  readonly #spoilt = new Map<string, { readonly text: string; readonly isFatal: boolean }>()
  /** Why nobody is forked. */
  #fallen: string | null = null
  /** Lines that were said, until the code may be new. */
  readonly #said = new Set<string>()

  constructor(parts: MoldsParts) {
    this.#parts = parts
    this.#forks = new Forks<Unborn>({
      kernel: parts.kernel,
      isKnown: (pid) => parts.children.leaders().has(pid) || this.leaders().has(pid),
      born: (unborn, pid, exit) => this.#born(unborn, pid, exit),
      failed: (unborn, error) => this.#failed(unborn, error),
      discard: (unborn) => parts.children.discard(unborn),
    })
  }

  /** Takes the birth of a companion over, and answers by an event. False: it is to be exec'd. */
  takes(config: CompanionConfig, env: Environment, preload: PreloadConfig | null): boolean {
    if (preload === null || config.run.kind !== 'target') return false
    const why = this.#fallen ?? this.#whyNot({ config, env }, this.#isOutdated ? null : this.#mold)
    if (why !== null) return this.#isExecd(config, why)
    const spoilt = this.#spoilt.get(keyOf(config))
    if (spoilt?.isFatal === false) return this.#isExecd(config, spoilt.text)
    if (spoilt !== undefined) this.#refuse(config, spoilt.text)
    else if (this.#mold?.process.isQuiet) this.#ask(this.#mold, { config, env })
    else this.#waiting.push({ config, env, edition: this.#edition })
    return true
  }

  /** At the end of a turn: starts the mold that somebody waits for. */
  begin(preload: PreloadConfig | null): void {
    if (this.#mold !== null && this.#isOutdated && this.#waitingFor(this.#mold).length === 0) this.#putAway(this.#mold)
    if (this.#waiting.length === 0 || this.#mold !== null) return
    try {
      this.#start(this.#waiting[0]!.env, preload!)
    } catch (error) {
      for (const { config } of this.#waiting.splice(0)) this.#refuse(config, (error as Error).message)
    }
  }

  /**
   * The code or the settings may be new: so is the next mold. Whoever waits for one that loads is still forked from it: to
   * be made to wait again and again would keep it down.
   */
  renew(): void {
    this.#edition++
    this.#spoilt.clear()
    this.#said.clear()
    this.#fallen = null
    if (this.#mold?.process.isQuiet) this.#putAway(this.#mold)
  }

  /** What the manager has for 1 and 2 is another file: so is what the molds have. What went wrong, one line each. */
  reopen(): string[] {
    const { kernel } = this.#parts
    const streams: Fd[] = []
    try {
      for (const stream of [1, 2] as const) streams.push(openInherited(kernel, stream))
      for (const { process } of this.#all()) process.reopen(streams[0]!, streams[1]!)
      return []
    } catch (error) {
      return [`molds: ${(error as Error).message}`]
    } finally {
      for (const fd of streams) kernel.close(fd)
    }
  }

  /**
   * It took too long, or was stopped: nothing may come of what was asked for. A module that is not even loaded when it
   * should be keeps all others waiting.
   */
  abandon(name: string): void {
    this.#waiting = this.#waiting.filter(({ config }) => config.name !== name)
    this.#forks.abandon((unborn) => unborn.config.name === name)
    const { process, due } = this.#mold ?? {}
    if (process?.isQuiet === false && this.#parts.kernel.now() >= due!) process.kill()
  }

  judge(now: Ms, gap: Ms): void {
    for (const { mold, how } of this.#silence.judge(this.#forks.owing, now, gap)) {
      this.#parts.report.moldSilent(mold.pid, how)
      if (how === 'late') continue
      if (mold === this.#mold?.process) this.#putAway(this.#mold)
      mold.kill()
    }
  }

  deadline(now: Ms): Ms | null {
    return this.#silence.deadline(this.#forks.owing, now)
  }

  /** Whether this exit of an unknown process may be that of one whose birth we have not heard of yet. */
  keeps(exit: Exit): boolean {
    return this.#forks.keeps(exit)
  }

  /** For good. */
  stop(): void {
    this.#fallen = 'the manager is stopping'
    const mold = this.#mold
    if (mold !== null) this.#putAway(mold)
    mold?.process.kill()
    for (const { config } of this.#waiting.splice(0)) this.#refuse(config, this.#fallen)
  }

  leaders(): ReadonlyMap<Pid, Leader> {
    return new Map(this.#all().map(({ process }) => [process.pid, 'group']))
  }

  lastWords(of: Pid): void {
    this.#find(of)?.process.hear()
  }

  left(exit: Exit, preload: PreloadConfig | null): boolean {
    const mold = this.#find(exit.pid)
    if (mold === undefined) return false
    const wasOld = this.#old.delete(exit.pid)
    mold.process.forget()
    const text = `its mold ${mold.process.isQuiet ? 'has died' : 'did not come up'}`
    for (const unborn of this.#forks.orphaned(mold.process)) this.#failed(unborn, text)
    if (wasOld) return true
    this.#mold = null
    this.#judge(mold, exit, preload)
    return true
  }

  /** A mold of ours has died by itself: who is to blame is left out of the next one; without anybody, all have failed. */
  #judge(mold: Mold, exit: Exit, preload: PreloadConfig | null): void {
    const { report } = this.#parts
    const { failed, isQuiet, pid } = mold.process
    if (failed !== null) report.moldFailed(pid, failed.text)
    else report.moldLeft(pid, exit)
    const waiting = this.#waiting.splice(0)
    // By code that may be another one by now: the next mold says.
    if (mold.edition < this.#edition) {
      for (const wanted of waiting) this.#waiting.push({ ...wanted, edition: this.#edition })
      return
    }
    const cannot = failed?.fault === 'notQuiet' || failed?.fault === 'cannotFork'
    const at = failed?.at ?? (isQuiet || cannot ? null : mold.at)
    const module = at === null ? undefined : mold.common.modules[at]
    const text = failed?.text ?? `its mold ${exitWords(exit)} while it was loaded`
    const isFatal = cannot && !preload?.fallback
    if (module !== undefined) this.#spoilt.set(JSON.stringify(module), { text, isFatal })
    else if (cannot && !isFatal) this.#fallen = text
    for (const { config, env } of waiting) {
      if (module === undefined && this.#fallen === null) this.#refuse(config, text)
      else if (!this.takes(config, env, preload)) this.#exec({ config, env })
    }
  }

  /** Once each: why it is exec'd. */
  #isExecd({ name }: CompanionConfig, why: string): false {
    const line = `${name}: ${why}`
    if (!this.#said.has(line)) this.#parts.report.execs(name, why)
    this.#said.add(line)
    return false
  }

  #start(env: Environment, { patience, open }: PreloadConfig): void {
    const { kernel, children, report, companions } = this.#parts
    const candidates = companions().flatMap((config) => this.#candidate({ config, env }) ?? [])
    const common = commonOf(candidates.filter(({ config }) => !this.#spoilt.has(keyOf(config))))
    if (common === null) throw new Error('nothing is left that could be forked')
    const streams = [openInherited(kernel, 1), openInherited(kernel, 2)] as const
    const [stdout, stderr] = streams
    try {
      const process: MoldProcess = startMold(
        kernel,
        {
          plan: (channel) => companionMoldPlan(common, { stdin: children.stdin, stdout, stderr, channel }),
          go: { patience, open, leader: 'session', modules: common.modules },
        },
        (message) => this.#heard(mold, message),
      )
      const due = ms(kernel.now() + patience)
      const mold: Mold = { process, common, edition: this.#edition, due, loaded: null, at: null }
      this.#mold = mold
      report.moldStarted(process.pid)
    } finally {
      for (const fd of streams) kernel.close(fd)
    }
  }

  #heard(mold: Mold, message: FromMold): void {
    const { report } = this.#parts
    const { pid } = mold.process
    switch (message.kind) {
      case 'loading':
        mold.at = message.at
        return
      case 'loaded':
        mold.loaded = message
        return
      case 'quiet':
        report.moldQuiet(pid)
        if (mold === this.#mold) this.#deliver(mold)
        return
      case 'log':
        return report.moldSaid(pid, message.level, message.text)
      case 'failed':
        return // its exit follows
      case 'forked':
      case 'forkFailed':
        this.#forks.answered(message)
        if (mold !== this.#mold && !this.#forks.isAwaited(mold.process)) mold.process.kill()
    }
  }

  /** Those who wait for newer code wait for the next one. */
  #deliver(mold: Mold): void {
    const wanted = this.#waitingFor(mold)
    this.#waiting = this.#waiting.filter((one) => !wanted.includes(one))
    for (const one of wanted) this.#ask(mold, one)
    if (this.#isOutdated) this.#putAway(mold)
  }

  #waitingFor({ edition }: Mold): Waiting[] {
    return this.#waiting.filter((wanted) => wanted.edition <= edition)
  }

  /** The mold has, or loads, code that may not be the newest. */
  get #isOutdated(): boolean {
    return this.#mold !== null && this.#mold.edition < this.#edition
  }

  #ask(mold: Mold, { config, env }: Wanted): void {
    const why = this.#whyNot({ config, env }, mold)
    if (why !== null) {
      this.#isExecd(config, why)
      return this.#exec({ config, env })
    }
    const { children } = this.#parts
    let unborn: Unborn | null = null
    try {
      unborn = children.prepare(config, env)
      const { stdout, stderr } = unborn.outputs
      this.#forks.ask(mold.process, unborn, [unborn.theirs!, children.stdin, stdout, stderr])
    } catch (error) {
      if (unborn !== null) children.discard(unborn)
      this.#refuse(config, (error as Error).message)
    }
  }

  #exec({ config, env }: Wanted): void {
    try {
      const { pid } = this.#parts.children.start(config, env)
      this.#parts.happened({ kind: 'spawned', name: config.name, pid })
    } catch (error) {
      this.#refuse(config, (error as Error).message)
    }
  }

  #born(unborn: Unborn, pid: Pid, exit: Exit | undefined): void {
    const { kernel, children, report, happened, left } = this.#parts
    const { name } = unborn.config
    try {
      report.notReopened(children.adopt(unborn, pid))
      happened({ kind: 'spawned', name, pid })
      if (exit === undefined) return
      children.lastWords(pid)
      left(exit)
    } catch (error) {
      if (exit === undefined) kernel.kill(pid, 'SIGKILL')
      this.#refuse(unborn.config, (error as Error).message)
    }
  }

  #failed(unborn: Unborn, error: string): void {
    this.#parts.children.discard(unborn)
    this.#refuse(unborn.config, error)
  }

  #refuse({ name }: CompanionConfig, error: string): void {
    this.#parts.happened({ kind: 'spawnFailed', name, error })
  }

  #whyNot(wanted: Wanted, mold: Mold | null): string | null {
    const candidate = this.#candidate(wanted)
    // Whose user does not exist is told so when it is started.
    if (candidate === null) return 'it cannot be started as it is set'
    return mold === null ? null : whyNot(candidate, mold.common, mold.loaded)
  }

  #candidate({ config, env }: Wanted): Candidate | null {
    if (config.run.kind !== 'target') return null
    try {
      const identity = this.#parts.children.identity(config)
      return { config, identity, env: companionEnvironment(config, env, identity) }
    } catch {
      return null
    }
  }

  #putAway(mold: Mold): void {
    this.#mold = null
    this.#old.set(mold.process.pid, mold)
    if (!this.#forks.isAwaited(mold.process)) mold.process.kill()
  }

  #all(): Mold[] {
    return [...this.#old.values(), ...(this.#mold === null ? [] : [this.#mold])]
  }

  #find(of: Pid): Mold | undefined {
    return this.#all().find(({ process }) => process.pid === of)
  }
}

const keyOf = (config: CompanionConfig): string => JSON.stringify(moduleOf(config))
