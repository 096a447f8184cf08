/**
 * The one loop, of the arbiter and of the manager alike.
 *
 * Whatever happens (a signal, a channel that can be read, a command, the timer) only wakes the loop; what is to be done
 * about it is decided in a turn, always in the same order: every sign of life is heard before anything is judged.
 *
 *   signals → who was reaped on sight → hear (channels, heartbeats) → reap → commands → judge (deadlines)
 *
 * Somebody may be waiting for the successor of who was reaped on sight: nothing that can be done later comes before it.
 *
 * There is one timer, at the earliest deadline.
 */
import type { Kernel, Signal, SignalRecord, Watch } from '../kernel/kernel.ts'
import { type Ms, ms } from '../units.ts'

/** What a turn does. Each part is called once a turn, in the order of the fields. */
export type Turn = {
  signalled(record: SignalRecord): void
  /** Those that were reaped on sight; what they said last is heard before. */
  reaped(now: Ms): void
  hear(now: Ms): void
  reap(now: Ms): void
  command(now: Ms): void
  /** `gap`: how long ago the turn before began if this one came late, else 0: for some of that time we did not run. */
  judge(now: Ms, gap: Ms): void
  /** The earliest point of the monotonic clock at which `judge` has something to do; null: nothing until an event. */
  deadline(now: Ms): Ms | null
  /** Signals that somebody had taken from us and that were taken back. */
  reinstalled(signals: readonly Signal[]): void
  /** A part of the turn threw: a defect of ours. The other parts of the turn go on. */
  failed(error: unknown): void
}

/** A turn that comes more than this much later than planned means that the process was stopped, or the machine asleep. */
export const LATE = ms(1000)

/** setTimeout's largest delay; a later deadline is looked at again then. */
const LONGEST_TIMER = 2 ** 31 - 1

/** A turn that wakes itself more often than this in a row lets the event loop go on in between. */
const MOST_TURNS_AT_ONCE = 16

export class Loop {
  readonly #kernel: Kernel
  readonly #turn: Turn
  readonly #selfPipe: Watch
  #timer: NodeJS.Timeout | undefined
  #planned: Ms | null = null
  /** When the last turn began. */
  #began = ms(0)
  #turning = false
  #woken = false
  #closed = false

  /** Takes the signals over for the life of the process and starts to turn at once. */
  constructor(kernel: Kernel, signals: readonly Signal[], turn: Turn) {
    this.#kernel = kernel
    this.#turn = turn
    kernel.openSignals(signals)
    this.#selfPipe = kernel.watchSignals(() => this.wake())
    setImmediate(() => this.wake())
  }

  /** Runs a turn now; from inside a turn, another one after it. */
  wake(): void {
    this.#woken = true
    if (this.#turning || this.#closed) return
    this.#turning = true
    try {
      for (let turns = 0; this.#woken && !this.#closed; turns++) {
        if (turns === MOST_TURNS_AT_ONCE) {
          setImmediate(() => this.wake())
          break
        }
        this.#woken = false
        this.#run()
      }
    } finally {
      this.#turning = false
    }
    this.#plan()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#selfPipe.close()
  }

  #run(): void {
    const now = this.#kernel.now()
    const late = this.#planned === null ? 0 : now - this.#planned
    const gap = ms(late > LATE ? now - this.#began : 0)
    this.#began = now
    // We may be stopped in the middle of a turn, and go on with another one at once.
    this.#planned = now
    this.#guard(() => this.#readSignals())
    this.#guard(() => this.#turn.reaped(now))
    this.#guard(() => this.#checkSignals())
    this.#guard(() => this.#turn.hear(now))
    this.#guard(() => this.#turn.reap(now))
    this.#guard(() => this.#turn.command(now))
    this.#guard(() => this.#turn.judge(now, gap))
  }

  #readSignals(): void {
    for (const record of this.#kernel.readSignals()) this.#turn.signalled(record)
  }

  #checkSignals(): void {
    const taken = this.#kernel.checkSignals()
    if (taken.length > 0) this.#turn.reinstalled(taken)
  }

  #guard(part: () => void): void {
    try {
      part()
    } catch (error) {
      this.#turn.failed(error)
    }
  }

  #plan(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    const now = this.#kernel.now()
    const deadline = this.#turn.deadline(now)
    // A deadline that had passed when the turn began is no reason to have been late. One that passed in it is: a
    // process that was stopped in the middle of a turn goes on here.
    this.#planned = deadline === null ? null : ms(Math.max(deadline, this.#began))
    if (this.#planned === null) return
    const delay = Math.min(Math.max(0, Math.ceil(this.#planned - now)), LONGEST_TIMER)
    this.#timer = setTimeout(() => this.wake(), delay)
  }
}
