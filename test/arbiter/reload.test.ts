/** Reloads under load: not one request fails, whatever the new version does. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startLoad } from '../support/load.ts'
import { type Service, serve } from './service.ts'

const RELOADS = 5
const BODY = 100_000

/** Says how much came; `new-version.js`, where it is there, is what a new version adds. */
const app = (signals: string): string => `
const { existsSync } = require('node:fs')
const http = require('node:http')
const added = __dirname + '/new-version.js'
if (existsSync(added)) require(added)
const server = http.createServer((req, res) => {
  let received = 0
  req.on('data', (chunk) => { received += chunk.length })
  req.on('end', () => res.end(JSON.stringify({ pid: process.pid, received })))
})
if (!globalThis.neverListens) server.listen(3000)
${signals}
`
/** When `startsecs` are over on the arbiter's clock, what was due at 400 ms has not happened yet. */
const LATE_EXIT = `
setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500), 300)
setTimeout(() => process.exit(1), 400)
`
const OWN_HANDLER = `process.on('SIGTERM', () => process.exit(0))`

const start = (signals: string, args: readonly string[] = []): Service =>
  serve(['-w', '2', '--startsecs', '0.5', '--drain-idle', '1s', ...args], { files: { 'app.js': app(signals) } })

/** Three kinds of clients: keep-alive, a connection a request, and one that rests between two requests. */
const clients = ({ folder }: Service) => {
  const path = join(folder, 'http.sock')
  return [
    startLoad({ path, connections: 4, pause: 1 }),
    startLoad({ path, connections: 2, method: 'POST', bytes: BODY, pause: 2 }),
    startLoad({ path, connections: 2, keepAlive: false }),
    startLoad({ path, connections: 1, keepAlive: false, method: 'POST', bytes: BODY }),
    startLoad({ path, connections: 4, pause: 100 }),
  ]
}

async function expectNoFailure(running: ReturnType<typeof clients>): Promise<void> {
  for (const client of running) {
    const { answered, failures, samples } = await client.stop()
    expect({ failures, samples }).toEqual({ failures: {}, samples: [] })
    expect(answered).toBeGreaterThan(0)
  }
}

test.each([
  ['an app without handlers', ''],
  ['an app whose own handler of SIGTERM ends it at once', OWN_HANDLER],
])('%s is reloaded again and again without a failed request', async (_what, signals) => {
  const service = start(signals)
  await service.program.line('all workers are ready')
  const running = clients(service)
  for (let n = 0; n < RELOADS; n++) {
    const mark = service.program.mark()
    service.program.signal('SIGHUP')
    await service.program.line('the new generation serves', mark)
  }
  await expectNoFailure(running)
})

test.each([
  ['throws when it is loaded', `throw new Error('this version is broken')`, /Error: this version is broken/],
  ['is gone after 200 ms', 'setTimeout(() => process.exit(1), 200)', /exited with code 1/],
  ['is gone after a moment in which it did not run', LATE_EXIT, /exited with code 1/],
  ['never listens', 'globalThis.neverListens = true; setInterval(() => {}, 1000)', /was not ready in time/],
])('a new version that %s costs no request, and why it failed is in the log', async (_what, added, why) => {
  // A busy machine takes its time to boot a worker, too.
  const patience = added.includes('neverListens') ? '3s' : '20s'
  const service = start('', ['--boot-timeout', patience, '--startsecs', '1s'])
  await service.program.line('all workers are ready')
  const old = service.children()
  const running = clients(service)
  writeFileSync(join(service.folder, 'new-version.js'), added)
  for (let n = 0; n < 2; n++) {
    const mark = service.program.mark()
    service.program.signal('SIGHUP')
    const [line] = await service.program.line(/reload failed: .*; the old generation serves on/, mark)
    expect(line).toMatch(why)
  }
  await expectNoFailure(running)
  expect(service.children()).toEqual(expect.arrayContaining(old))
})

test('a worker that is killed between two reloads costs no more than it was doing', async () => {
  const service = start('')
  await service.program.line('all workers are ready')
  const [client] = [startLoad({ path: join(service.folder, 'http.sock'), connections: 4, pause: 1 })]
  for (let n = 0; n < 3; n++) {
    const mark = service.program.mark()
    service.program.signal('SIGHUP')
    const [, generation] = await service.program.line(/the new generation serves generation=(\d+)/, mark)
    // One of the new generation: who has replaced a killed one of the old may be on its way out.
    const [, pid] = await service.program.line(new RegExp(`worker ready worker=${generation}:\\S+ pid=(\\d+)`), mark)
    process.kill(Number(pid), 'SIGKILL')
    await service.program.line(/worker left .*signal=SIGKILL/, mark)
  }
  const { answered, failed } = await client.stop()
  // Four connections: no worker can have had more.
  expect(failed).toBeLessThanOrEqual(3 * 4)
  expect(answered).toBeGreaterThan(failed)
})
