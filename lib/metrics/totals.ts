/**
 * What all workers have done together: the rows of those that live, and what those that are gone have left. Pure.
 *
 * A row is written by a worker and nothing in it is believed: what is no count is none.
 */
import { COLUMN, DURATION_BOUNDS, FIRST_DURATION } from '../channel/heartbeat.ts'

export type Row = Readonly<ArrayLike<number>>

export type Totals = {
  readonly requests: number
  /** By the first digit of the status, 1xx to 5xx. */
  readonly classes: readonly number[]
  /** As `DURATION_BOUNDS`; not cumulated. */
  readonly durations: readonly number[]
  /** Milliseconds. */
  readonly durationSum: number
}

/** The sum of rows. */
export function totalsOf(rows: readonly Row[]): Totals {
  const sum = (column: number): number => rows.reduce((total, row) => total + countIn(row, column), 0)
  return {
    requests: sum(COLUMN.requests),
    classes: CLASSES.map(sum),
    durations: DURATION_BOUNDS.map((_, index) => sum(FIRST_DURATION + index)),
    durationSum: sum(COLUMN.durationSum),
  }
}

/** Adds what only grows of a worker that is gone. */
export function retire(into: Float64Array, row: Row): void {
  for (const column of COUNTERS) into[column] = countIn(into, column) + countIn(row, column)
}

/** A finite number that is not negative; 0 for anything else. */
export function countIn(row: Row, column: number): number {
  const value = row[column] ?? 0
  return Number.isFinite(value) && value > 0 ? value : 0
}

const CLASSES = [COLUMN.informational, COLUMN.success, COLUMN.redirection, COLUMN.clientError, COLUMN.serverError]
const COUNTERS = [
  COLUMN.requests,
  ...CLASSES,
  COLUMN.durationSum,
  ...DURATION_BOUNDS.map((_, index) => FIRST_DURATION + index),
]
