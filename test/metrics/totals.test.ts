import { COLUMN, COLUMNS, FIRST_DURATION } from '../../lib/channel/heartbeat.ts'
import { countIn, retire, totalsOf } from '../../lib/metrics/totals.ts'
import { Durations } from '../../lib/worker/responses/durations.ts'

const rowOf = (values: Partial<Record<keyof typeof COLUMN, number>>): Float64Array => {
  const row = new Float64Array(COLUMNS)
  for (const [name, value] of Object.entries(values)) row[COLUMN[name as keyof typeof COLUMN]] = value
  return row
}

test('All rows together make the totals.', () => {
  const one = rowOf({ requests: 3, success: 2, serverError: 1, durationSum: 12.5 })
  const two = rowOf({ requests: 4, success: 4, durationSum: 7.5 })
  one[FIRST_DURATION] = 2
  two[FIRST_DURATION] = 1
  expect(totalsOf([one, two])).toMatchObject({ requests: 7, classes: [0, 6, 0, 0, 1], durationSum: 20 })
  expect(totalsOf([one, two]).durations[0]).toBe(3)
})

test('A worker that is gone leaves what only grows, and nothing else.', () => {
  const retired = new Float64Array(COLUMNS)
  retire(retired, rowOf({ beat: 9, requests: 3, inFlight: 1, connections: 2, lag: 5, success: 3 }))
  retire(retired, rowOf({ requests: 1, clientError: 1 }))
  expect(retired).toEqual(rowOf({ requests: 4, success: 3, clientError: 1 }))
})

test('A row that a worker has filled with nonsense counts as nothing.', () => {
  const row = new Float64Array(COLUMNS)
  for (const value of [Number.NaN, Infinity, -Infinity, -1]) {
    row.fill(value)
    expect(totalsOf([row])).toMatchObject({ requests: 0, classes: [0, 0, 0, 0, 0], durationSum: 0 })
    expect(countIn(row, COLUMN.lag)).toBe(0)
  }
})

test('A duration falls into the first bucket that is not too small for it.', () => {
  const durations = new Durations()
  const row = new Float64Array(COLUMNS)
  for (const duration of [0, 5, 5.1, 9999, 10_001, 60_000]) durations.observe(duration)
  durations.store(row)
  expect(totalsOf([row]).durations).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2])
  expect(totalsOf([row]).durationSum).toBeCloseTo(80_010.1)
})
