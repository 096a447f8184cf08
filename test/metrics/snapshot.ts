import { DURATION_BOUNDS } from '../../lib/channel/heartbeat.ts'
import type { Snapshot } from '../../lib/metrics/snapshot.ts'

/** A snapshot of nothing, with what a test wants changed. */
export function snapshotOf(change: Partial<Snapshot> = {}): Snapshot {
  return {
    version: '1.2.3',
    node: 'v20.0.0',
    started: 1_700_000_000.5,
    wanted: 2,
    generation: 1,
    states: { RUNNING: 2 },
    restarts: { silent: 0 },
    reloads: { succeeded: 0, failed: 0 },
    totals: { requests: 0, classes: [0, 0, 0, 0, 0], durations: DURATION_BOUNDS.map(() => 0), durationSum: 0 },
    workers: [],
    listeners: [],
    logged: {},
    ...change,
  }
}

/** Durations with these counts in the first buckets. */
export const durations = (...counts: number[]): number[] => DURATION_BOUNDS.map((_, index) => counts[index] ?? 0)
