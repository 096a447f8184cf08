/** All that metrics say, at one moment. Pure. */
import type { Totals } from './totals.ts'

export type Snapshot = {
  readonly version: string
  /** Node's, `v20.1.2`. */
  readonly node: string
  /** When the arbiter started, in seconds since the epoch. */
  readonly started: number
  /** How many workers there should be. */
  readonly wanted: number
  readonly generation: number
  /** How many workers are in each of supervisord's states. */
  readonly states: Readonly<Record<string, number>>
  /** How often a worker was in trouble, by its kind. */
  readonly restarts: Readonly<Record<string, number>>
  readonly reloads: { readonly succeeded: number; readonly failed: number }
  readonly totals: Totals
  readonly workers: readonly WorkerSample[]
  readonly listeners: readonly { readonly address: string; readonly queued: number }[]
  /** Events of the arbiter's log by level. */
  readonly logged: Readonly<Record<string, number>>
}

export type WorkerSample = {
  readonly slot: number
  readonly generation: number
  readonly inFlight: number
  readonly connections: number
  /** Milliseconds. */
  readonly lag: number
  /** Bytes; null where /proc did not say. */
  readonly rss: number | null
  /** Seconds of CPU time. */
  readonly cpu: number | null
}
