import { statsdPackets } from '../../lib/metrics/statsd.ts'
import { durations, snapshotOf } from './snapshot.ts'

const worker = { slot: 0, generation: 1, inFlight: 0, connections: 0, lag: 0, rss: null, cpu: null }
const before = snapshotOf({
  totals: { requests: 10, classes: [0, 10, 0, 0, 0], durations: durations(10), durationSum: 10 },
  logged: { info: 5 },
})
const now = snapshotOf({
  workers: [worker, { ...worker, slot: 1 }],
  totals: {
    requests: 15,
    classes: [0, 14, 0, 0, 1],
    durations: durations(13, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    durationSum: 99,
  },
  logged: { info: 5, error: 2 },
})

test("What has happened since the last time is sent under gunicorn's names.", () => {
  const [packet, ...more] = statsdPackets(before, now, { prefix: '', tags: '' })
  expect(more).toEqual([])
  expect(packet!.split('\n')).toEqual([
    'gunicorn.workers:2|g',
    'gunicorn.requests:5|c',
    'gunicorn.request.status.2xx:4|c',
    'gunicorn.request.status.5xx:1|c',
    'gunicorn.request.duration:5|ms|@0.333333',
    'gunicorn.request.duration:10|ms',
    'gunicorn.request.duration:10000|ms',
    'gunicorn.log.error:2|c',
  ])
})

test('A prefix gets its dot, and tags stand at the end of every line.', () => {
  for (const prefix of ['shop', 'shop.']) {
    const [packet] = statsdPackets(before, before, { prefix, tags: 'env:prod,team:web' })
    expect(packet).toBe('shop.gunicorn.workers:0|g|#env:prod,team:web')
  }
})

test('A datagram never grows beyond what fits into a frame, and no line is lost.', () => {
  const tags = `long:${'x'.repeat(300)}`
  const packets = statsdPackets(before, now, { prefix: '', tags })
  expect(packets.length).toBeGreaterThan(1)
  for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(1400)
  expect(packets.join('\n').split('\n')).toHaveLength(8)
})
