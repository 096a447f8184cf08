/** `reusePort`: a listener for each slot, and no connection is lost in one whose slot has no worker. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../support/http.ts'
import { startLoad } from '../support/load.ts'
import { type Service, serve } from './service.ts'

/** Boots only while there is no file `wait` beside it. */
const APP = `
const { existsSync } = require('node:fs')
const { createServer } = require('node:http')
const server = createServer((req, res) => {
  let received = 0
  req.on('data', (chunk) => { received += chunk.length })
  req.on('end', () => res.end(JSON.stringify({ pid: process.pid, received })))
})
const begin = () => (existsSync(__dirname + '/wait') ? setTimeout(begin, 5) : server.listen(3000))
begin()
`

async function start(workers: number, args: readonly string[] = []): Promise<Service & { readonly port: number }> {
  const tcp = ['-b', '127.0.0.1:0', '--reuse-port', '-w', String(workers), '--startsecs', '0', '--drain-idle', '0.5s']
  const service = serve([...tcp, ...args], { files: { 'app.js': APP } })
  const [, port] = await service.program.line(/listening address=127\.0\.0\.1:(\d+)/)
  await service.program.line('all workers are ready')
  return { ...service, port: Number(port) }
}

/** Who answers so many connections, and how often each. */
async function askMany({ port }: { readonly port: number }, count: number): Promise<Map<number, number>> {
  const answers = await Promise.all(Array.from({ length: count }, () => ask({ port })))
  const by = new Map<number, number>()
  for (const { body } of answers) {
    const { pid } = JSON.parse(body)
    by.set(pid, (by.get(pid) ?? 0) + 1)
  }
  return by
}

test('the kernel deals connections out to all workers', async () => {
  const service = await start(4)
  const by = await askMany(service, 200)
  expect([...by.keys()].sort()).toEqual(service.children().sort())
})

test('a port that another service has is refused, although both would share it', async () => {
  const { port } = await start(1)
  const second = serve(['-b', `127.0.0.1:${port}`, '--reuse-port'])
  await second.program.line(`bind: cannot listen on 127.0.0.1:${port}: the address is in use`)
  expect((await second.program.ended()).code).toBe(2)
})

test('with fewer workers, and more again, every connection is answered', async () => {
  const service = await start(3)
  const load = startLoad({ port: service.port, connections: 4, keepAlive: false })
  for (let left = 2; left >= 1; left--) {
    const mark = service.program.mark()
    service.program.signal('SIGTTOU')
    await service.program.line(/worker left/, mark)
    const by = await askMany(service, 60)
    expect([...by.keys()].sort()).toEqual(service.children().sort())
  }
  for (let n = 0; n < 2; n++) {
    const mark = service.program.mark()
    service.program.signal('SIGTTIN')
    await service.program.line(/worker ready/, mark)
  }
  expect((await askMany(service, 100)).size).toBe(3)
  expect(await load.stop()).toMatchObject({ failures: {} })
})

test('while a worker that was killed boots, the others answer for it', async () => {
  const service = await start(3)
  const wait = join(service.folder, 'wait')
  writeFileSync(wait, '')
  const mark = service.program.mark()
  const [victim] = service.children()
  process.kill(victim!, 'SIGKILL')
  await service.program.line(/worker left .*signal=SIGKILL/, mark)
  const by = await askMany(service, 100)
  expect(by.size).toBe(2)
  rmSync(wait)
  await service.program.line(/worker ready/, mark)
  expect((await askMany(service, 100)).size).toBe(3)
  expect(existsSync(wait)).toBe(false)
})

test('reloads cost no request', async () => {
  const service = await start(3)
  const loads = [
    startLoad({ port: service.port, connections: 4, pause: 1 }),
    startLoad({ port: service.port, connections: 2, keepAlive: false, method: 'POST', bytes: 50_000 }),
  ]
  for (let n = 0; n < 3; n++) {
    const mark = service.program.mark()
    service.program.signal('SIGHUP')
    await service.program.line('the new generation serves', mark)
  }
  for (const load of loads) expect(await load.stop()).toMatchObject({ failures: {}, samples: [] })
})
