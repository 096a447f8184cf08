/** The sign of life: a timer that stores into the worker's row of the shared memory. A store, not a system call. */
import { performance } from 'node:perf_hooks'
import { COLUMN } from '../channel/heartbeat.ts'
import { type Ms, ms } from '../units.ts'
import { type Counts, NO_COUNTS } from './responses/counts.ts'
import type { Durations } from './responses/durations.ts'

/** Often enough that the arbiter's metrics are fresh. */
const LONGEST: Ms = ms(1_000)
const SHORTEST: Ms = ms(20)
/** Beats within one `timeout`, so that one late turn of the loop is not a death. */
const BEATS_A_TIMEOUT = 4

/** How long between beats: a second, less where the `timeout` is short. 0 as `timeout` means that none is enforced. */
export const beatInterval = (timeout: Ms): Ms =>
  timeout === 0 ? LONGEST : ms(Math.min(LONGEST, Math.max(SHORTEST, timeout / BEATS_A_TIMEOUT)))

/** What is told with each beat. */
export type BeatSource = { counts(): Counts; readonly durations: Durations | null }

/** `last` stores once more; `stop`: nothing is stored after it. */
export type Beating = { last(): void; stop(): void }

/** Beats at once and then for the life of the process, without keeping it alive. */
export const startBeat = (row: Float64Array, source: BeatSource, interval: Ms): Beating => {
  let expected = performance.now() + interval
  const beat = () => {
    const now = performance.now()
    source.durations?.store(row)
    store(row, source.counts(), Math.max(0, now - expected))
    expected = now + interval
  }
  // Nothing was served yet, and the first client may be waiting.
  store(row, NO_COUNTS, 0)
  const timer = setInterval(beat, interval).unref()
  return {
    last() {
      source.durations?.store(row)
      store(row, source.counts(), 0)
    },
    stop: () => clearInterval(timer),
  }
}

/** The beat is stored last: whoever sees it change sees counters that are at least as new. */
const store = (row: Float64Array, counts: Counts, lag: number): void => {
  row[COLUMN.requests] = counts.requests
  row[COLUMN.inFlight] = counts.active
  row[COLUMN.connections] = counts.connections
  row[COLUMN.lag] = lag
  row[COLUMN.informational] = counts.classes[0]
  row[COLUMN.success] = counts.classes[1]
  row[COLUMN.redirection] = counts.classes[2]
  row[COLUMN.clientError] = counts.classes[3]
  row[COLUMN.serverError] = counts.classes[4]
  row[COLUMN.beat] = (row[COLUMN.beat] ?? 0) + 1
}
