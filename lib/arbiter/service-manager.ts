/**
 * What systemd is told (sd_notify(3)): READY once all workers are, RELOADING and READY again around a reload, STATUS when
 * it changes, STOPPING and more time while workers drain, and WATCHDOG as long as some worker serves.
 *
 * It takes part in the loop as a ward that has no process: it wants to know of a stop, and to be woken in time.
 */
import type { Leader } from '../runtime/reaper.ts'
import { stateWord } from '../supervision/describe.ts'
import type { Pool } from '../supervision/pool.ts'
import type { Notifier } from '../system/notify.ts'
import { microseconds } from '../system/notify.ts'
import { type Ms, ms, type Pid } from '../units.ts'
import type { Notice } from './arbiter.ts'
import type { Ward } from './ward.ts'

/** While we stop within deadlines of our own, systemd's is moved: so often, and so far. */
const EXTEND_EVERY = ms(5_000)
const EXTEND_BY = ms(20_000)

export class ServiceManager implements Ward {
  readonly isGone = true
  readonly #notifier: Notifier
  readonly #pool: () => Pool
  readonly #now: () => Ms
  #status = ''
  #watchdogAt: Ms | null = null
  #extendAt: Ms | null = null

  constructor(notifier: Notifier, pool: () => Pool, now: () => Ms) {
    this.#notifier = notifier
    this.#pool = pool
    this.#now = now
  }

  /** A reload was asked for; whatever becomes of it, `served` or a notice follows. */
  reloading(): void {
    this.#notifier.reloading(this.#now(), 'reloading')
    this.#status = 'reloading'
  }

  /** As before a reload that was refused. */
  served(): void {
    this.#status = statusOf(this.#pool())
    this.#notifier.ready(this.#status)
  }

  noticed(notice: Notice): void {
    if (notice.kind === 'started') {
      this.#watchdogAt = this.#notifier.watchdogEvery === null ? null : this.#now()
      this.served()
    } else if (notice.kind === 'reloading') this.reloading()
    else if (notice.kind === 'reloaded' || notice.kind === 'reloadFailed') this.served()
  }

  stop(_: 'graceful' | 'quick', now: Ms): void {
    if (this.#extendAt !== null) return
    this.#extendAt = now
    this.#status = 'stopping'
    this.#notifier.stopping(this.#status)
  }

  judge(now: Ms): void {
    if (!this.#notifier.active) return
    const pool = this.#pool()
    if (this.#extendAt !== null && now >= this.#extendAt) {
      this.#notifier.send({ EXTEND_TIMEOUT_USEC: microseconds(EXTEND_BY) })
      this.#extendAt = ms(now + EXTEND_EVERY)
    }
    if (this.#watchdogAt !== null && now >= this.#watchdogAt) {
      if (isHealthy(pool)) this.#notifier.send({ WATCHDOG: 1 })
      this.#watchdogAt = ms(now + this.#notifier.watchdogEvery!)
    }
    const status = statusOf(pool)
    if (!pool.proven || pool.mode !== 'running' || pool.reload !== null || status === this.#status) return
    this.#status = status
    this.#notifier.send({ STATUS: status })
  }

  deadline(): Ms | null {
    if (!this.#notifier.active) return null
    const times = [this.#watchdogAt, this.#extendAt].filter((time) => time !== null)
    return times.length === 0 ? null : ms(Math.min(...times))
  }

  leaders(): ReadonlyMap<Pid, Leader> {
    return new Map()
  }

  lastWords(): void {}

  left(): boolean {
    return false
  }
}

/** Such as `2 of 2 workers serve, generation 1`. */
export function statusOf({ members, size, generation }: Pool): string {
  const serving = members.filter(({ life, role }) => role === 'holder' && stateWord(life) === 'RUNNING').length
  return `${serving} of ${size} workers serve, generation ${generation}`
}

/** Nobody serves although somebody should: what has been tried has not helped, and a restart of the service may. */
export const isHealthy = ({ mode, members }: Pool): boolean =>
  mode !== 'running' || members.some(({ life }) => stateWord(life) === 'RUNNING')
