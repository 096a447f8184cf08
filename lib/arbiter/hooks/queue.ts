/** Calls of hooks in their order: one runs, the others wait. Pure but for the callbacks of those who wait for one. */
import { type Ms, ms } from '../../units.ts'
import type { HookCall } from './calls.ts'

/** Calls that wait at most. */
export const MOST_WAITING = 1000

/** `then`: called once, when it has ended, however that was, or when `until` has passed. */
export type Waiting = HookCall & { readonly id: number; readonly until: Ms | null; readonly then: () => void }

export class HookQueue {
  #last = 0
  #waiting: Waiting[] = []
  #running: { readonly call: Waiting; readonly stuckAt: Ms } | null = null

  /** Null: too many wait, and this one will not be called. */
  push(call: HookCall, until: Ms | null = null, then: () => void = () => undefined): Waiting | null {
    if (this.#waiting.length >= MOST_WAITING) return null
    const waiting = { ...call, id: ++this.#last, until, then }
    this.#waiting.push(waiting)
    return waiting
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Those that wait. */
  get calls(): readonly HookCall[] {
    return this.#waiting.map(({ hook, args }) => ({ hook, args }))
  }

  get isEmpty(): boolean {
    return this.#running === null && this.#waiting.length === 0
  }

  /** What is to be called now; null while one runs, or none waits. `stuckAt`: when no answer means that none will come. */
  next(stuckAt: Ms): Waiting | null {
    const [call] = this.#waiting
    if (this.#running !== null || call === undefined) return null
    this.#waiting.shift()
    this.#running = { call, stuckAt }
    return call
  }

  /** The answer has come; null where it is nobody's. */
  settle(id: number): Waiting | null {
    return this.#running?.call.id === id ? this.cut() : null
  }

  /** The one that runs has ended without an answer. */
  cut(): Waiting | null {
    const call = this.#running?.call ?? null
    this.#running = null
    call?.then()
    return call
  }

  /** The one that runs has not answered in time. */
  stuck(now: Ms): Waiting | null {
    return this.#running !== null && now >= this.#running.stuckAt ? this.#running.call : null
  }

  /** Nobody ran for that long: all have as much more time. */
  postpone(gap: Ms): void {
    if (this.#running !== null) this.#running = { ...this.#running, stuckAt: ms(this.#running.stuckAt + gap) }
    this.#waiting = this.#waiting.map((call) => (call.until === null ? call : { ...call, until: ms(call.until + gap) }))
  }

  /** Takes out those whose time has passed before they were called. */
  expired(now: Ms): readonly Waiting[] {
    return this.#take(({ until }) => until !== null && now >= until)
  }

  /** Takes out all that have not been called. */
  drop(): readonly Waiting[] {
    return this.#take(() => true)
  }

  /** When `stuck` or `expired` have something to say. */
  deadline(): Ms | null {
    const times = this.#waiting.flatMap(({ until }) => (until === null ? [] : [until]))
    if (this.#running !== null) times.push(this.#running.stuckAt)
    return times.reduce<Ms | null>((first, time) => (first === null || time < first ? time : first), null)
  }

  #take(which: (call: Waiting) => boolean): readonly Waiting[] {
    const taken = this.#waiting.filter(which)
    if (taken.length > 0) this.#waiting = this.#waiting.filter((call) => !which(call))
    for (const { then } of taken) then()
    return taken
  }
}
