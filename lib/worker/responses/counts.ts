/** What a worker counts, for the heartbeat, the log of a drain and `maxRequests`. */
import type { Counts as EngineCounts } from '../../http/engine.ts'

export type Counts = Omit<EngineCounts, 'idle'>

/** Before the first request. */
export const NO_COUNTS: Counts = { requests: 0, active: 0, connections: 0, classes: [0, 0, 0, 0, 0] }

/** Those of several servers together. */
export const sumOf = (counts: readonly Counts[]): Counts => counts.reduce(add, NO_COUNTS)

const add = (a: Counts, b: Counts): Counts => ({
  requests: a.requests + b.requests,
  active: a.active + b.active,
  connections: a.connections + b.connections,
  classes: [
    a.classes[0] + b.classes[0],
    a.classes[1] + b.classes[1],
    a.classes[2] + b.classes[2],
    a.classes[3] + b.classes[3],
    a.classes[4] + b.classes[4],
  ],
})
