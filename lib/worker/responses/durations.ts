/** How long responses take, counted in buckets for the metrics. */
import { COLUMN, DURATION_BOUNDS, FIRST_DURATION } from '../../channel/heartbeat.ts'

export class Durations {
  readonly #buckets = new Float64Array(DURATION_BOUNDS.length)
  #sum = 0

  /** One response took so many milliseconds. */
  observe(duration: number): void {
    let bucket = 0
    while (duration > DURATION_BOUNDS[bucket]!) bucket += 1
    this.#buckets[bucket]! += 1
    this.#sum += duration
  }

  /** Into the worker's row of the shared memory. */
  store(row: Float64Array): void {
    row.set(this.#buckets, FIRST_DURATION)
    row[COLUMN.durationSum] = this.#sum
  }
}
