/** What the arbiter's turn needs of the rest of its process. */
import type { ToArbiter } from '../channel/messages.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Effect } from '../supervision/pool.ts'
import type { Listeners } from './listeners/listeners.ts'
import type { Molds } from './molds/molds.ts'
import type { Order } from './orders.ts'
import type { Report } from './report.ts'
import type { Ward } from './ward.ts'
import type { Workers } from './workers.ts'

export type Surroundings = {
  readonly kernel: Kernel
  readonly workers: Workers
  readonly listeners: Listeners
  readonly report: Report
  /** Orders that are carried out elsewhere: reload and reopen need files, upgrade a new process. */
  readonly elsewhere: (order: Exclude<Order, { kind: 'stop' | 'scale' | 'drain' }>) => void
  /** Wakes the loop. */
  readonly wake: () => void
  /** What the pool says to everybody: `started`, `reloaded`, `halted`, `emptied` … */
  readonly told: (effect: Notice) => void
  /** A worker of that generation has loaded these files. */
  readonly loaded: (generation: number, what: Extract<ToArbiter, { kind: 'loaded' }>) => void
  /** A part of the loop's turn threw: a defect of ours. */
  readonly defect: (error: unknown) => void
  /** Nothing is left to supervise. */
  readonly over: () => void
  /** Where workers are forked from with `preload`; also one of the wards. */
  readonly molds: Molds
  /** What is kept alive beside the workers. */
  readonly wards: readonly Ward[]
}

/** All that is no work: for the log, and for those who wait. */
export type Notice = Exclude<Effect, { kind: 'spawn' | 'abandon' | 'signal' }>
