/** How a worker leaves: what is in flight is finished, then the app's own handlers of SIGTERM run, then it exits. */
import type { DrainOptions } from '../http/engine.ts'
import { type Ms, ms } from '../units.ts'
import type { Counts } from './responses/counts.ts'

/** The share of the time that is left to the app's own handlers where connections do not end. */
const APP_SHARE = 0.2
const LONGEST_APP_SHARE = ms(5_000)
/** Between our own exit and the arbiter's KILL. */
const MARGIN_SHARE = 0.05
const LONGEST_MARGIN = ms(250)
/** How often the arbiter hears how far it is. */
const REPORT = ms(1_000)

/** The app hears this event of `process` when the draining begins, with `{ streams, within }` in milliseconds. */
export const DRAIN_EVENT = 'monoceros:drain'

export type DrainOrder = {
  /** Until the arbiter kills. */
  readonly within: Ms
  /** For how long connections are still accepted as before. */
  readonly after: Ms
}

export type DrainParts = DrainOptions & {
  now(): Ms
  /** Accepts what waits, and closes the listeners. */
  stopAccepting(): void
  /** Lets all servers finish; settles when no connection is left. */
  finish(options: DrainOptions): Promise<void>
  counts(): Counts
  report(idle: number, active: number): void
  /**
   * Whether something else than the end is to follow: it begins, and calls `leave` where nothing comes of it. `within`:
   * milliseconds that it has at most.
   */
  instead(within: Ms, leave: () => void): boolean
}

export class Drain {
  readonly #parts: DrainParts
  #killAt = Number.POSITIVE_INFINITY
  #closeAt = Number.POSITIVE_INFINITY
  #closing: NodeJS.Timeout | undefined
  #leaving: NodeJS.Timeout | undefined
  #reports: NodeJS.Timeout | undefined
  #phase: 'accepting' | 'finishing' | 'leaving' = 'accepting'

  constructor(parts: DrainParts) {
    this.#parts = parts
  }

  /** Begins to drain; an order that comes later can only shorten the time. */
  order({ within, after }: DrainOrder): void {
    const now = this.#parts.now()
    if (now + within < this.#killAt) {
      this.#killAt = now + within
      clearTimeout(this.#leaving)
      if (this.#phase === 'leaving') this.#exitInTime()
      else this.#leaving = this.#at(this.#killAt - Math.min(within * APP_SHARE, LONGEST_APP_SHARE), () => this.#leave())
    }
    if (this.#phase === 'accepting' && now + after < this.#closeAt) {
      this.#closeAt = now + after
      clearTimeout(this.#closing)
      if (after === 0) this.#finish()
      else this.#closing = this.#at(this.#closeAt, () => this.#finish())
    }
  }

  #finish(): void {
    this.#phase = 'finishing'
    this.#parts.stopAccepting()
    const { idle, streams } = this.#parts
    this.#parts.finish({ idle, streams }).then(() => this.#leave())
    const within = this.#killAt - this.#parts.now()
    // In a step of its own: an error of a listener is the app's.
    process.nextTick(() => (process as NodeJS.EventEmitter).emit(DRAIN_EVENT, { streams, within }))
    this.#reports = setInterval(() => this.#report(), REPORT)
    this.#report()
  }

  #report(): void {
    const { active, connections } = this.#parts.counts()
    this.#parts.report(Math.max(0, connections - active), active)
  }

  /** The app's handlers of SIGTERM, or of SIGINT where it has only those, as under PM2; without any, the end. */
  #leave(): void {
    if (this.#phase === 'leaving') return
    this.#phase = 'leaving'
    for (const timer of [this.#leaving, this.#closing]) clearTimeout(timer)
    clearInterval(this.#reports)
    const left = this.#killAt - this.#parts.now()
    const within = ms(Math.max(0, left - Math.min(left * APP_SHARE, LONGEST_APP_SHARE)))
    if (!this.#parts.instead(within, () => this.#end())) this.#end()
  }

  #end(): void {
    const signal = (['SIGTERM', 'SIGINT'] as const).find((name) => process.listenerCount(name) > 0)
    if (signal === undefined) process.exit()
    // Before the handlers: one that throws into an `uncaughtException` handler must not keep the process.
    this.#exitInTime()
    process.emit(signal, signal)
  }

  /** The handlers may end the process earlier, or leave nothing to do. */
  #exitInTime(): void {
    const left = this.#killAt - this.#parts.now()
    this.#leaving = this.#at(this.#killAt - Math.min(left * MARGIN_SHARE, LONGEST_MARGIN), () => process.exit())
    this.#leaving.unref()
  }

  #at(time: number, then: () => void): NodeJS.Timeout {
    return setTimeout(then, Math.max(0, time - this.#parts.now()))
  }
}
