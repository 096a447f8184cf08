/**
 * All timeouts of all connections by one timer: connections remember since when they wait, and the timer walks them
 * when the earliest could be due. Arming it again for a later time costs a comparison.
 */
import type { Service } from './service.ts'
import { judge } from './timeouts.ts'

/** The timer never sleeps longer: the app may lower a timeout of the server object at any time. */
const LONGEST = 1000
/** And never shorter, however the timeouts of many connections are spread. */
const SHORTEST = 10

export class Sweep {
  private readonly service: Service
  private timer: NodeJS.Timeout | null = null
  /** When the timer fires. */
  private due = Number.POSITIVE_INFINITY
  /** When connections were last walked: no more than `LONGEST` ago while there are any. */
  private walked = 0

  constructor(service: Service) {
    this.service = service
  }

  /**
   * Now, or up to `LONGEST` later: for waits so long that it does not matter. Costs no look at the clock, and needs no
   * `arm`.
   */
  get soon(): number {
    return this.walked + LONGEST
  }

  /** Something may have to be done at that time (monotonic milliseconds); never is at first a look in `LONGEST`, too. */
  arm(at: number): void {
    if (at < this.due || this.timer === null) this.start(at)
  }

  /** As `arm`, and the process lives until then: a half-closed socket alone does not keep it. */
  armAlive(at: number): void {
    this.arm(at)
    this.keepProcess()
  }

  private keepProcess(): void {
    this.timer?.ref()
  }

  private start(at: number): void {
    const { service } = this
    const now = service.now()
    const delay = Math.min(Math.max(at - now, SHORTEST), LONGEST)
    if (now + delay >= this.due) return
    if (this.timer === null) this.walked = now
    if (this.timer !== null) clearTimeout(this.timer)
    this.due = now + delay
    this.timer = service.scope.runInAsyncScope(() => setTimeout(() => this.walk(), Math.ceil(delay)).unref())
  }

  private walk(): void {
    this.timer = null
    this.due = Number.POSITIVE_INFINITY
    const { service } = this
    const now = service.now()
    this.walked = now
    let next = Number.POSITIVE_INFINITY
    let alive = false
    for (const connection of service.connections) {
      next = Math.min(next, judge(connection, now))
      alive ||= connection.endAt !== 0
    }
    for (const [socket, until] of service.lingering) {
      if (until <= now) socket.destroy()
      else next = Math.min(next, until)
    }
    if (service.connections.size + service.lingering.size > 0) this.start(Math.min(next, now + LONGEST))
    if (alive) this.keepProcess()
  }
}
