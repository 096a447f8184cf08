import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask, converse } from '../support/http.ts'
import { type Program, startMonoceros } from '../support/process.ts'
import { until } from '../support/until.ts'

const APP = join(__dirname, 'metrics-app.js')

async function serving(...args: string[]) {
  const folder = temporaryFolder()
  const path = join(folder, 'sock')
  const server = startMonoceros(
    [APP, '--bind', `unix:${path}`, '--bind', '127.0.0.1:0', '--metrics-bind', '127.0.0.1:0', ...args],
    { cwd: folder },
  )
  await server.line('all workers are ready')
  const [, port] = await server.line(/metrics are served address=127\.0\.0\.1:(\d+)/)
  return { server, path, folder, metrics: { port: Number(port) } }
}

type Metrics = { readonly port: number }

/** The value of one sample, as it is written before the space. */
async function sample(metrics: Metrics, name: string): Promise<number> {
  const { body } = await ask(metrics, { path: '/metrics' })
  const line = body.split('\n').find((one) => one.startsWith(`${name} `))
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1))
}

/** Asks until it is so: a worker tells its counts with its next beat. */
const becomes = (metrics: Metrics, name: string, wanted: number): Promise<void> =>
  until(async () => (await sample(metrics, name)) === wanted)

async function stopped(server: Program): Promise<void> {
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
}

test('One scrape covers all workers, and what a worker counted outlives it.', async () => {
  const { server, path, metrics } = await serving('-w', '2')
  for (const url of ['/', '/', '/fail']) await ask({ path }, { path: url })
  await becomes(metrics, 'monoceros_requests_total', 3)
  await becomes(metrics, 'monoceros_responses_total{class="2xx"}', 2)
  await becomes(metrics, 'monoceros_responses_total{class="5xx"}', 1)
  await becomes(metrics, 'monoceros_request_duration_seconds_count', 3)
  expect(await sample(metrics, 'monoceros_workers{state="RUNNING"}')).toBe(2)
  expect(await sample(metrics, 'monoceros_worker_resident_memory_bytes{slot="0",generation="1"}')).toBeGreaterThan(1e6)
  const { body } = await ask(metrics, { path: '/metrics' })
  expect(body).toMatch(/^monoceros_listener_queue\{address="127\.0\.0\.1:\d+"\} 0$/m)
  // A request of the last second, whose worker leaves before it beats again.
  await ask({ path })
  server.signal('SIGHUP')
  await server.line('the new generation serves')
  await becomes(metrics, 'monoceros_reloads_total{outcome="succeeded"}', 1)
  await becomes(metrics, 'monoceros_workers{state="STOPPING"}', 0)
  await becomes(metrics, 'monoceros_requests_total', 4)
  await stopped(server)
})

test('Requests in flight and the queue of a listener are seen while the only worker hangs, and its death is counted.', async () => {
  const { server, path, metrics } = await serving('--timeout', '3s')
  const slow = await converse({ path })
  slow.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  await becomes(metrics, 'monoceros_worker_requests_in_flight{slot="0",generation="1"}', 1)
  const [, address, port] = await server.line(/listening address=(127\.0\.0\.1:(\d+))/)
  const spinning = await converse({ path })
  spinning.send('GET /spin HTTP/1.1\r\nHost: a\r\n\r\n')
  await server.line('spinning')
  await Promise.all([converse({ port: Number(port) }), converse({ port: Number(port) })])
  await becomes(metrics, `monoceros_listener_queue{address="${address}"}`, 2)
  await becomes(metrics, 'monoceros_worker_troubles_total{cause="silent"}', 1)
  await stopped(server)
})

test('Live and ready are what they say, from the first worker to the stop.', async () => {
  const { server, path, metrics } = await serving()
  expect(await ask(metrics, { path: '/live' })).toMatchObject({ status: 200, body: 'alive\n' })
  expect(await ask(metrics, { path: '/ready?verbose' })).toMatchObject({
    status: 200,
    body: '1 of 1 workers serve, generation 1\n',
  })
  // A request in flight keeps it from being over.
  const slow = await converse({ path })
  slow.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  await becomes(metrics, 'monoceros_worker_requests_in_flight{slot="0",generation="1"}', 1)
  server.signal('SIGTERM')
  await server.line('worker drains')
  expect(await ask(metrics, { path: '/ready' })).toMatchObject({ status: 503, body: 'not ready: stopping\n' })
  expect((await ask(metrics, { path: '/live' })).status).toBe(200)
  server.signal('SIGKILL')
})

test.each([
  ['GET /nothing HTTP/1.1\r\n\r\n', 'HTTP/1.1 404 Not Found'],
  ['GET /constructor HTTP/1.1\r\n\r\n', 'HTTP/1.1 404 Not Found'],
  ['POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc', 'HTTP/1.1 405 Method Not Allowed'],
  ['GET /metrics\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  ['\x16\x03\x01\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  [`GET /live HTTP/1.1\r\nA: ${'a'.repeat(9000)}`, 'HTTP/1.1 431 '],
  ['HEAD /live HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK'],
])('The request %j is answered %s.', async (request, status) => {
  const { server, metrics } = await serving()
  const client = await converse(metrics)
  client.send(request)
  expect((await client.closed()).startsWith(status)).toBe(true)
  await stopped(server)
})

test('Clients that send nothing keep nobody out for long, and hold up no stop.', async () => {
  const { server, metrics } = await serving()
  const silent = await Promise.all(Array.from({ length: 80 }, () => converse(metrics)))
  await silent.at(0)!.closed()
  expect((await ask(metrics, { path: '/live' })).status).toBe(200)
  await stopped(server)
})

test('A client that asks a byte at a time holds nobody up, and has its answer.', async () => {
  const { server, metrics } = await serving()
  const slow = await converse(metrics)
  for (const byte of 'GET /live HTTP/1.1\r\n\r\n') {
    expect((await ask(metrics, { path: '/live' })).status).toBe(200)
    slow.send(byte)
  }
  expect((await slow.closed()).startsWith('HTTP/1.1 200 OK')).toBe(true)
  await stopped(server)
})

test('Statsd hears of requests and workers, over UDP with prefix and tags.', async () => {
  const collector = createSocket('udp4').bind(0, '127.0.0.1')
  await once(collector, 'listening')
  const heard: string[] = []
  collector.on('message', (message) => heard.push(...String(message).split('\n')))
  const to = `127.0.0.1:${collector.address().port}`
  const { server, path } = await serving('--statsd-host', to, '--statsd-prefix', 'shop', '--dogstatsd-tags', 'a:b')
  await ask({ path }, { path: '/fail' })
  const has = async (line: string): Promise<void> => {
    while (!heard.includes(line)) await once(collector, 'message')
  }
  await has('shop.gunicorn.workers:1|g|#a:b')
  await has('shop.gunicorn.requests:1|c|#a:b')
  await has('shop.gunicorn.request.status.5xx:1|c|#a:b')
  await stopped(server)
  collector.close()
})

test('An address that is taken and a statsd server over TCP are errors before anything is started.', async () => {
  const { metrics, server } = await serving()
  const second = startMonoceros([APP, '--metrics-bind', `127.0.0.1:${metrics.port}`], { cwd: temporaryFolder() })
  await second.line(/monoceros: metricsBind: cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE/)
  expect((await second.ended()).code).toBe(2)
  const tcp = startMonoceros([APP, '--statsd-host', 'tcp://127.0.0.1:1'], { cwd: temporaryFolder() })
  await tcp.line('statsdHost')
  expect((await tcp.ended()).code).toBe(2)
  await stopped(server)
})
