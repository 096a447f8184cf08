/**
 * A world of misbehaving children for simulations: it carries out effects and says what happens next. Children fail to
 * spawn, answer late, hang at boot, die at any moment, fall silent, ignore what they are told, and survive KILL for a
 * while. It also holds whoever signals them to the rules, by throwing.
 */
import type { How } from '../../../lib/supervision/ladder.ts'
import type { Exit, Fault } from '../../../lib/supervision/trouble.ts'
import { type Pid, pid } from '../../../lib/units.ts'
import type { Random } from '../../support/random.ts'

/** How bad the children are: parts of 1. */
export type Temper = {
  readonly spawnFails: number
  readonly spawnHangs: number
  readonly bootFails: number
  readonly bootHangs: number
  /** Dies by itself, some time after it was ready. */
  readonly dies: number
  readonly fallsSilent: number
  readonly stubborn: number
  readonly survivesKill: number
}

export const GOOD: Temper = {
  spawnFails: 0,
  spawnHangs: 0,
  bootFails: 0,
  bootHangs: 0,
  dies: 0,
  fallsSilent: 0,
  stubborn: 0,
  survivesKill: 0,
}

export type Happening<Name> =
  | { readonly kind: 'spawned'; readonly name: Name; readonly pid: Pid }
  | { readonly kind: 'spawnFailed'; readonly name: Name; readonly error: string }
  | { readonly kind: 'announced' | 'ready' | 'passed' | 'lasted' | 'heard'; readonly name: Name; readonly pid: Pid }
  | { readonly kind: 'exited'; readonly name: Name; readonly pid: Pid; readonly exit: Exit; readonly fault?: Fault }

type Child<Name> = {
  readonly name: Name
  announced: boolean
  readonly stubborn: boolean
  kills: number
  killed: boolean
  dying: boolean
}

type Planned<Name> = {
  readonly at: number
  readonly what: Happening<Name> | { readonly kind: 'beat'; readonly pid: Pid }
}

export class World<Name> {
  readonly children = new Map<Pid, Child<Name>>()
  /** Requests to spawn that are neither answered nor abandoned. */
  readonly requests = new Map<string, Name>()
  spawns = 0
  temper: Temper
  readonly #random: Random
  readonly #text: (name: Name) => string
  /** Between two signs of life. */
  readonly #beat: number
  #plans: Planned<Name>[] = []
  #nextPid = 100

  constructor(random: Random, temper: Temper, text: (name: Name) => string, beat: number) {
    this.#random = random
    this.temper = temper
    this.#text = text
    this.#beat = beat
  }

  /** When something happens next. */
  nextAt(): number | null {
    let first: number | null = null
    for (const { at } of this.#plans) if (first === null || at < first) first = at
    return first
  }

  /** What has happened by then, in order; each only once. */
  happened(now: number): Happening<Name> | null {
    let first = -1
    for (let index = 0; index < this.#plans.length; index++) {
      if (this.#plans[index]!.at <= now && (first < 0 || this.#plans[index]!.at < this.#plans[first]!.at)) first = index
    }
    if (first < 0) return null
    const [{ at, what }] = this.#plans.splice(first, 1) as [Planned<Name>]
    if (what.kind === 'spawned') return this.#born(what, at)
    if (what.kind === 'spawnFailed') {
      this.requests.delete(this.#text(what.name))
      return what
    }
    const child = this.children.get(what.pid)
    if (child === undefined) return this.happened(now)
    if (what.kind === 'beat') {
      this.#plan(at + this.#beat, what)
      return { kind: 'heard', name: child.name, pid: what.pid }
    }
    if (what.kind === 'exited') this.#bury(what.pid)
    if (what.kind === 'announced') child.announced = true
    return what
  }

  spawn(name: Name, now: number): void {
    const text = this.#text(name)
    if (this.requests.has(text)) throw new Error(`${text}: asked for while a request is open`)
    for (const [pid, child] of this.children) {
      if (this.#text(child.name) === text) throw new Error(`${text}: asked for while ${pid} is alive`)
    }
    this.spawns++
    this.requests.set(text, name)
    const { spawnFails, spawnHangs } = this.temper
    if (this.#random.chance(spawnHangs)) return
    const at = now + this.#random.below(30)
    if (this.#random.chance(spawnFails)) this.#plan(at, { kind: 'spawnFailed', name, error: 'EAGAIN' })
    else this.#plan(at, { kind: 'spawned', name, pid: pid(this.#nextPid++) })
  }

  /** Nothing comes of it, but for a few whose answer is on its way already. */
  abandon(name: Name): void {
    const text = this.#text(name)
    if (!this.requests.delete(text)) throw new Error(`${text}: abandoned without a request`)
    if (!this.#random.chance(0.3)) this.forgetLate(name)
  }

  /** Whoever carries out keeps to himself what comes of a request that was abandoned. */
  forgetLate(name: Name): void {
    const text = this.#text(name)
    this.#plans = this.#plans.filter(
      ({ what }) => !('name' in what && this.#text(what.name) === text && what.kind.startsWith('spawn')),
    )
  }

  signal(name: Name, pid: Pid, how: How, now: number): void {
    const child = this.children.get(pid)
    if (child === undefined) throw new Error(`${how} to ${pid}, which is not there`)
    if (this.#text(child.name) !== this.#text(name))
      throw new Error(`${how} to ${pid}, which is ${this.#text(child.name)}'s`)
    if (!child.announced && how !== 'terminate' && how !== 'kill')
      throw new Error(`${how} to ${pid}, which has not announced itself`)
    if (how === 'kill') child.killed = true
    if (how === 'stack' || child.dying) return
    if (how === 'kill' ? child.kills-- > 0 : child.stubborn) return
    child.dying = true
    const signal = how === 'kill' ? 'SIGKILL' : how === 'abort' ? 'SIGABRT' : how === 'terminate' ? 'SIGTERM' : null
    this.#exits(name, pid, now + this.#random.below(40), { code: signal === null ? 0 : null, signal, core: false })
  }

  #born(what: Happening<Name> & { kind: 'spawned' }, now: number): Happening<Name> {
    const { name, pid } = what
    const random = this.#random
    const { temper } = this
    this.requests.delete(this.#text(name))
    this.children.set(pid, {
      name,
      announced: false,
      stubborn: random.chance(temper.stubborn),
      kills: random.chance(temper.survivesKill) ? random.below(5) : 0,
      killed: false,
      dying: false,
    })
    let at = now + random.below(20)
    if (random.chance(0.9)) this.#plan(at, { kind: 'announced', name, pid })
    if (random.chance(temper.bootFails)) {
      const fault = random.chance(0.5) ? { fault: 'threw', text: 'broken' } : undefined
      this.#exits(name, pid, at + random.below(50), { code: 1, signal: null, core: false }, fault)
      return what
    }
    if (random.chance(temper.bootHangs)) return what
    at += random.below(60)
    this.#plan(at, { kind: 'ready', name, pid })
    this.#plan(at + random.below(30), { kind: 'passed', name, pid })
    this.#plan(at + random.below(200), { kind: 'lasted', name, pid })
    if (!random.chance(temper.fallsSilent)) this.#plan(at, { kind: 'beat', pid })
    if (random.chance(temper.dies)) {
      this.#exits(
        name,
        pid,
        at + random.below(3000),
        random.pick([
          { code: 0, signal: null, core: false },
          { code: 3, signal: null, core: false },
          { code: null, signal: 'SIGSEGV', core: true },
        ]),
      )
    }
    return what
  }

  #exits(name: Name, pid: Pid, at: number, exit: Exit, fault?: Fault): void {
    this.#plan(
      at,
      fault === undefined ? { kind: 'exited', name, pid, exit } : { kind: 'exited', name, pid, exit, fault },
    )
  }

  #bury(pid: Pid): void {
    this.children.delete(pid)
    this.#plans = this.#plans.filter(({ what }) => !('pid' in what) || what.pid !== pid || what.kind === 'spawned')
  }

  #plan(at: number, what: Planned<Name>['what']): void {
    this.#plans.push({ at, what })
  }
}
