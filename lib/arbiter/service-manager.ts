/**
 * What the service manager hears of us (sd_notify(3)): READY once all workers are, RELOADING and READY again around a
 * reload, STOPPING; how many workers serve; that what takes long is still going on. Its watchdog is answered for as long
 * as some worker is good: an arbiter that lives while nobody serves is no sign of health.
 *
 * It takes part in the loop as a ward that has no process: it wants to know of a stop, and to be woken in time.
 */
import { earliest } from '../supervision/deadline.ts'
import { troubleWords } from '../supervision/describe.ts'
import { pidOf } from '../supervision/life.ts'
import type { Member, Pool } from '../supervision/pool.ts'
import type { Notifier } from '../system/notify.ts'
import { microseconds } from '../system/notify.ts'
import { type Ms, ms, type Pid } from '../units.ts'
import { reloadTrouble } from './report.ts'
import type { Notice } from './surroundings.ts'
import { type Ward, WithoutProcess } from './ward.ts'

/** How often more time is asked for while something takes long, and for how much. */
const EXTEND_EVERY = ms(2_000)
const EXTEND_BY = ms(10_000)
/** Between two lines of status. */
const STATUS_EVERY = ms(500)

const SILENT: Notifier = {
  active: false,
  watchdogEvery: null,
  send: () => undefined,
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
}

export type ServiceManagerParts = {
  readonly notifier: Notifier
  readonly pool: () => Pool
  readonly now: () => Ms
  /** For how long a start may take. */
  readonly startLimit: () => Ms
  /** The watchdog goes unanswered from now on; or is answered again. */
  readonly watchdog: (answered: boolean) => void
}

export class ServiceManager extends WithoutProcess implements Ward {
  readonly #parts: ServiceManagerParts
  readonly #begun: Ms
  #phase: 'starting' | 'serving' | 'reloading' | 'stopping' = 'starting'
  /** What went wrong last, until the next reload. */
  #note = ''
  #status = ''
  #statusAt: Ms
  #extendAt: Ms
  #watchdogAt: Ms
  #answered = true
  #isMain = true

  constructor(parts: ServiceManagerParts) {
    super()
    this.#parts = parts
    this.#begun = parts.now()
    this.#statusAt = this.#begun
    this.#extendAt = ms(this.#begun + EXTEND_EVERY)
    this.#watchdogAt = this.#begun
  }

  /** Who is the main process from now on. As long as that is another one, we say nothing: not that we stop, either. */
  mainPid(pid: Pid): void {
    this.#parts.notifier.send({ MAINPID: pid })
    this.#isMain = pid === process.pid
    this.#status = ''
  }

  /** A reload was asked for. Said at once: systemd compares the time with that of its signal. */
  reloading(): void {
    this.#note = ''
    // A start that is not over is not ready either.
    if (this.#phase === 'stopping' || this.#phase === 'starting') return
    const now = this.#parts.now()
    this.#phase = 'reloading'
    this.#extendAt = ms(now + EXTEND_EVERY)
    this.#notifier.reloading(now, 'reloading')
  }

  /** The reload did not even begin. */
  refused(problems: readonly string[]): void {
    this.#note = `reload refused: ${problems.join('; ')}`
    // One that began before may still be under way.
    if (this.#phase === 'reloading' && this.#parts.pool().reload === null) this.#ready()
  }

  noticed(notice: Notice): void {
    switch (notice.kind) {
      case 'started':
      case 'reloaded':
        if (this.#phase !== 'stopping' && this.#parts.pool().reload === null) this.#ready()
        return
      case 'reloadFailed':
        if (notice.trouble.kind === 'superseded') return
        this.#note = `reload failed: ${reloadTrouble(notice.trouble)}`
        if (this.#phase === 'reloading') this.#ready()
        return
      case 'halted':
        this.#note = troubleWords(notice.trouble)
        return
    }
  }

  stop(_how: 'graceful' | 'quick', now: Ms): void {
    if (this.#phase === 'stopping') return
    this.#phase = 'stopping'
    this.#extendAt = now
    this.#notifier.stopping(this.#with('stopping'))
  }

  judge(now: Ms): void {
    const notifier = this.#notifier
    if (!notifier.active) return
    if (this.#isExtending(now) && now >= this.#extendAt) {
      this.#extendAt = ms(now + EXTEND_EVERY)
      notifier.send({ EXTEND_TIMEOUT_USEC: microseconds(EXTEND_BY) })
    }
    const { watchdogEvery } = notifier
    if (watchdogEvery !== null && now >= this.#watchdogAt) {
      this.#watchdogAt = ms(now + watchdogEvery)
      this.#answer(isHealthy(this.#parts.pool()) || this.#phase === 'starting')
    }
    const status = this.#statusNow()
    if (status === this.#status || now < this.#statusAt) return
    this.#status = status
    this.#statusAt = ms(now + STATUS_EVERY)
    notifier.send({ STATUS: status })
  }

  deadline(now: Ms): Ms | null {
    const { active, watchdogEvery } = this.#notifier
    if (!active) return null
    const extendAt = this.#isExtending(now) ? this.#extendAt : null
    const statusAt = this.#statusNow() === this.#status ? null : this.#statusAt
    return earliest(earliest(extendAt, statusAt), watchdogEvery === null ? null : this.#watchdogAt)
  }

  get #notifier(): Notifier {
    return this.#isMain ? this.#parts.notifier : SILENT
  }

  #ready(): void {
    this.#phase = 'serving'
    this.#status = this.#statusNow()
    this.#notifier.ready(this.#status)
  }

  #answer(healthy: boolean): void {
    if (healthy) this.#notifier.send({ WATCHDOG: 1 })
    if (healthy !== this.#answered) this.#parts.watchdog(healthy)
    this.#answered = healthy
  }

  /** A start that takes for ever is for the service manager to end; a reload and a stop have deadlines of their own. */
  #isExtending(now: Ms): boolean {
    if (this.#phase === 'starting') return now < this.#begun + this.#parts.startLimit()
    return this.#phase !== 'serving'
  }

  #statusNow(): string {
    const pool = this.#parts.pool()
    if (this.#phase !== 'stopping' && pool.mode !== 'drained') return this.#with(statusOf(pool))
    const alive = pool.members.filter(({ life }) => pidOf(life) !== null).length
    const word = this.#phase === 'stopping' ? 'stopping' : 'drained'
    return this.#with(`${word}: ${alive} ${alive === 1 ? 'worker' : 'workers'} left`)
  }

  #with(text: string): string {
    return this.#note === '' ? text : `${text}; ${this.#note}`
  }
}

/** Such as `2 of 2 workers serve, generation 1`. */
export const statusOf = ({ members, size, generation }: Pool): string =>
  `${members.filter(isGood).length} of ${size} workers serve, generation ${generation}`

/** Nobody serves although somebody should: what has been tried has not helped, and a restart of the service may. */
export const isHealthy = ({ mode, members }: Pool): boolean => mode !== 'running' || members.some(isGood)

const isGood = ({ role, life }: Member): boolean => role === 'holder' && life.phase.kind === 'up'
