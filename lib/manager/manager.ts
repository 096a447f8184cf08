/**
 * The manager at work: joins the companions (what should happen), their processes (what is there) and the loop (when).
 * Commands and events queue up and are dealt with in a turn; nothing else changes the companions.
 */
import type { ManagerConfig } from '../channel/manager-messages.ts'
import type { CompanionConfig } from '../config/companions.ts'
import type { Exit, Kernel, Signal, SignalRecord } from '../kernel/kernel.ts'
import { Jobs } from '../runtime/jobs.ts'
import type { Turn } from '../runtime/loop.ts'
import { reapChildren } from '../runtime/reaper.ts'
import { type Command, type Answer as CommandAnswer, command } from '../supervision/companions/commands.ts'
import { type RereadAnswer, reread } from '../supervision/companions/reread.ts'
import {
  type Companions,
  deadline,
  type Effect,
  type Event,
  newCompanions,
  type Step,
  step,
} from '../supervision/companions.ts'
import { earliest } from '../supervision/deadline.ts'
import type { Trouble } from '../supervision/trouble.ts'
import { outOfMemoryKills } from '../system/oom.ts'
import { sessionMembers } from '../system/processes.ts'
import { type Ms, ms, type Pid } from '../units.ts'
import type { Children } from './children.ts'
import { Molds } from './molds.ts'
import { type Obituary, writeObituary } from './obituary.ts'
import type { Report } from './report.ts'
import { specOf } from './spec.ts'

/** When orphans may be hidden behind a child of libuv: how soon they are looked for again. */
const LOOK_AGAIN = ms(50)

/** What the manager's turn needs of the rest of its process. */
export type Surroundings = {
  readonly kernel: Kernel
  readonly children: Children
  readonly report: Report
  /** Wakes the loop. */
  readonly wake: () => void
  /** Something moved, or time has passed: whoever waits for a state looks again. When it wants to be asked again. */
  readonly looked: (now: Ms) => Ms | null
  readonly ordered: (order: 'reopen' | 'reread') => void
  readonly fatal: (config: CompanionConfig, trouble: Trouble) => void
  /** Everything has been stopped. */
  readonly emptied: () => void
}

export class Manager implements Turn {
  readonly #around: Surroundings
  readonly #jobs: Jobs
  readonly #events: Event[] = []
  /** How a spawn by fork/exec went, which is over before anything else happens. */
  readonly #spawned: Event[] = []
  readonly #obituaries = new Map<string, Obituary>()
  /** Configurations by the hash that the core knows them by. */
  #configs: Map<string, CompanionConfig>
  readonly #molds: Molds
  #env: ManagerConfig['env']
  #preload: ManagerConfig['preload']
  #companions: Companions
  #lookAt: Ms | null = null
  #waitUntil: Ms | null = null
  #kills = outOfMemoryKills()

  constructor(around: Surroundings, { companions, env, preload }: ManagerConfig, seed: number) {
    this.#around = around
    this.#jobs = new Jobs(around.wake, (error) => this.failed(error))
    this.#env = env
    this.#preload = preload
    this.#molds = new Molds({
      ...around,
      happened: (event) => {
        this.#events.push(event)
        around.wake()
      },
      left: (exit) => this.#left(exit),
      companions: () => [...this.#configs.values()],
    })
    const specs = companions.map((config) => specOf(config, env, preload))
    this.#configs = new Map(specs.map(({ hash }, at) => [hash, companions[at]!]))
    this.#companions = newCompanions(specs, seed)
    this.#events.push({ kind: 'start' })
  }

  get companions(): Companions {
    return this.#companions
  }

  get now(): Ms {
    return this.#around.kernel.now()
  }

  obituary(name: string): Obituary | undefined {
    return this.#obituaries.get(name)
  }

  /** What the companion of that name runs with, or would. */
  config(name: string): CompanionConfig | undefined {
    const member = this.#companions.members.find(({ spec }) => spec.name === name)
    return member && this.#configs.get(member.spec.hash)
  }

  /** Runs a job in the next turn, where it may command. */
  schedule(job: () => void): void {
    this.#jobs.add(job)
  }

  /** `start`, `stop`, `restart` of one companion. */
  order(asked: Command): CommandAnswer {
    const { answer, ...taken } = command(this.#companions, asked, this.now)
    // Where anything comes of it (another process, or the end of this one): its code may be new.
    const isBorn = taken.effects.some(({ kind }) => kind === 'spawn' || kind === 'signal')
    if (asked.kind !== 'stop' && isBorn && this.config(asked.name)?.run.kind === 'target') this.#molds.renew()
    this.#take(taken)
    this.#settle(this.now)
    this.#around.report.commanded(asked.kind, asked.name, answer.ok ? answer.message : answer.error)
    return answer
  }

  /** What the manager has for 1 and 2 is another file. What went wrong, one line each. */
  reopened(): string[] {
    return this.#molds.reopen()
  }

  /** Takes a new configuration, or keeps the old one. */
  reread({ companions, env, preload }: ManagerConfig): RereadAnswer {
    const specs = companions.map((config) => specOf(config, env, preload))
    const { answer, ...taken } = reread(this.#companions, specs, this.now)
    if (answer.ok) {
      this.#env = env
      this.#preload = preload
      this.#molds.renew()
      for (const [at, { hash }] of specs.entries()) this.#configs.set(hash, companions[at]!)
    }
    this.#take(taken)
    this.#settle(this.now)
    this.#forgetConfigs()
    this.#around.report.reread(answer)
    return answer
  }

  shutdown(how: 'graceful' | 'quick', why: string): void {
    this.#around.report.stopping(how, why)
    this.#events.push({ kind: 'shutdown', how })
    this.#molds.stop()
    this.#around.wake()
  }

  signalled(record: SignalRecord): void {
    if (record.signal === 'SIGCHLD') return
    this.#around.report.signalled(record)
    if (record.signal === 'SIGUSR1') this.#around.ordered('reopen')
    else if (record.signal === 'SIGHUP') this.#around.ordered('reread')
    else this.shutdown(record.signal === 'SIGQUIT' ? 'quick' : 'graceful', record.signal)
  }

  hear(now: Ms): void {
    this.#settle(now)
  }

  reaped(now: Ms): void {
    const exits = this.#around.kernel.takeExits()
    if (exits.length === 0) return
    for (const { pid } of exits) this.#lastWords(pid)
    this.#bury(exits)
    this.#settle(now)
  }

  reap(now: Ms): void {
    const { kernel, children, report } = this.#around
    const molds = this.#molds
    const leaders = new Map([...children.leaders(), ...molds.leaders()])
    const { exits, strangers, blocked } = reapChildren(kernel, leaders, (pid) => this.#lastWords(pid), sessionMembers)
    this.#bury(exits)
    for (const exit of strangers) if (!molds.keeps(exit)) report.adopted(exit)
    if (blocked) this.#lookAt = ms(now + LOOK_AGAIN)
    this.#settle(now)
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
    this.#molds.judge(now, gap)
    // A configuration that was waited for is taken there, and may ask for births.
    this.#waitUntil = this.#around.looked(now)
    this.#molds.begin(this.#preload)
  }

  deadline(now: Ms): Ms | null {
    const times = [deadline(this.#companions), this.#molds.deadline(now), this.#lookAt, this.#waitUntil]
    return times.reduce(earliest, null)
  }

  reinstalled(signals: readonly Signal[]): void {
    this.#around.report.reinstalled(signals)
  }

  failed(error: unknown): void {
    this.#around.report.defect(error)
  }

  #lastWords(pid: Pid): void {
    this.#around.children.lastWords(pid)
    this.#molds.lastWords(pid)
  }

  #bury(exits: readonly Exit[]): void {
    for (const exit of exits) if (!this.#molds.left(exit, this.#preload)) this.#left(exit)
  }

  #left(exit: Exit): void {
    const { children, report } = this.#around
    const child = children.get(exit.pid)
    if (!child) return
    report.left(child.name, exit)
    children.forget(exit.pid)
    this.#obituaries.set(child.name, writeObituary(child, exit, this.#wasOutOfMemory(exit)))
    this.#events.push({
      kind: 'exited',
      name: child.name,
      pid: exit.pid,
      exit,
      ...(child.fault && { fault: child.fault }),
    })
  }

  /** The group's count says that somebody in it was killed: one who ended by KILL since then is likely to be it. */
  #wasOutOfMemory({ signal }: Exit): boolean {
    if (signal !== 'SIGKILL') return false
    const before = this.#kills
    this.#kills = outOfMemoryKills()
    return before !== null && this.#kills !== null && this.#kills > before
  }

  /** Deals with all events, those included that come of dealing with them. */
  #settle(now: Ms): void {
    const next = (): Event | undefined => this.#spawned.shift() ?? this.#events.shift()
    for (let event = next(); event !== undefined; event = next()) this.#take(step(this.#companions, event, now))
  }

  #take({ companions, effects }: Step): void {
    this.#companions = companions
    for (const effect of effects) this.#carryOut(effect)
  }

  #carryOut(effect: Effect): void {
    const { children, report } = this.#around
    switch (effect.kind) {
      case 'spawn':
        return this.#spawn(effect.name, effect.hash)
      case 'abandon':
        // A spawn by fork/exec is answered in the same turn.
        return this.#molds.abandon(effect.name)
      case 'signal':
        return effect.how === 'kill' ? children.kill(effect.pid) : this.#stop(effect.pid, effect.hash)
      case 'moved':
        return report.moved(effect.name, effect.to)
      case 'fatal': {
        const config = this.config(effect.name)
        if (config?.onFatal === 'exit') this.#around.fatal(config, effect.trouble)
        return
      }
      case 'emptied':
        return this.#around.emptied()
    }
  }

  #spawn(name: string, hash: string): void {
    const config = this.#configs.get(hash)!
    try {
      if (this.#molds.takes(config, this.#env, this.#preload)) return
      const { pid } = this.#around.children.start(config, this.#env)
      this.#spawned.push({ kind: 'spawned', name, pid })
    } catch (error) {
      this.#spawned.push({ kind: 'spawnFailed', name, error: (error as Error).message })
    }
  }

  #stop(pid: Pid, hash: string): void {
    const config = this.#configs.get(hash)
    if (config !== undefined) this.#around.children.stop(pid, config)
  }

  /** Keeps those that a companion has, will have, or is being stopped by. */
  #forgetConfigs(): void {
    const used = new Set(
      this.#companions.members.flatMap(({ spec, next, farewell }) => [spec.hash, next?.hash, farewell?.heir?.hash]),
    )
    for (const hash of this.#configs.keys()) if (!used.has(hash)) this.#configs.delete(hash)
    const names = new Set(this.#companions.members.map(({ spec }) => spec.name))
    for (const name of this.#obituaries.keys()) if (!names.has(name)) this.#obituaries.delete(name)
  }
}
