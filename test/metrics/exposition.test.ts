import { exposition } from '../../lib/metrics/exposition.ts'
import { durations, snapshotOf } from './snapshot.ts'

const full = snapshotOf({
  states: { RUNNING: 1, BACKOFF: 1 },
  restarts: { exited: 3, silent: 1 },
  reloads: { succeeded: 2, failed: 1 },
  totals: { requests: 12, classes: [0, 9, 1, 1, 1], durations: durations(7, 3, 0, 0, 0, 1), durationSum: 310 },
  workers: [
    { slot: 0, generation: 3, inFlight: 1, connections: 4, lag: 2.5, rss: 52_000_000, cpu: 1.25 },
    { slot: 1, generation: 3, inFlight: 0, connections: 0, lag: 0, rss: null, cpu: null },
  ],
  listeners: [{ address: 'unix:/a "b"\\c\nd', queued: 5 }],
  logged: { info: 7 },
})

test('The page has every metric with help and type, and a line for each sample.', () => {
  const lines = exposition(full).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'monoceros_info{version="1.2.3",node="v20.0.0"} 1',
      'monoceros_start_time_seconds 1700000000.5',
      'monoceros_workers{state="BACKOFF"} 1',
      'monoceros_reloads_total{outcome="failed"} 1',
      'monoceros_worker_troubles_total{cause="exited"} 3',
      'monoceros_requests_total 12',
      'monoceros_responses_total{class="2xx"} 9',
      '# TYPE monoceros_request_duration_seconds histogram',
      'monoceros_request_duration_seconds_bucket{le="0.005"} 7',
      'monoceros_request_duration_seconds_bucket{le="0.1"} 10',
      'monoceros_request_duration_seconds_bucket{le="+Inf"} 11',
      'monoceros_request_duration_seconds_sum 0.31',
      'monoceros_request_duration_seconds_count 11',
      'monoceros_worker_requests_in_flight{slot="0",generation="3"} 1',
      'monoceros_worker_event_loop_lag_seconds{slot="0",generation="3"} 0.0025',
      '# TYPE monoceros_worker_cpu_seconds_total counter',
      'monoceros_worker_cpu_seconds_total{slot="0",generation="3"} 1.25',
      'monoceros_listener_queue{address="unix:/a \\"b\\"\\\\c\\nd"} 5',
      'monoceros_log_messages_total{level="info"} 7',
    ]),
  )
  expect(lines.at(-1)).toBe('')
})

test('What is not known has no sample.', () => {
  const text = exposition(full)
  expect(text).not.toContain('monoceros_worker_resident_memory_bytes{slot="1"')
  expect(exposition(snapshotOf())).not.toContain('monoceros_listener_queue')
})

test('Every line is one that Prometheus accepts, and no metric stands in two places.', () => {
  const lines = exposition(full).trimEnd().split('\n')
  const sample = /^[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[\d.e+-]+$/
  expect(lines.filter((line) => !/^# (HELP|TYPE) [a-z_]+ \S/.test(line) && !sample.test(line))).toEqual([])
  const types = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2])
  expect(new Set(types).size).toBe(types.length)
})
