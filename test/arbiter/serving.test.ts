/** What a newcomer sees: workers serve, are kept alive, and everything is gone at the end. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'
import { ready, serve } from './service.ts'

test('several workers serve one address', async () => {
  const service = serve(['-w', '3'])
  await ready(service, 3)
  const pids = new Set<string>()
  for (let n = 0; n < 60; n++) pids.add((await service.get()).body)
  const children = service.children().map(String)
  expect(children).toHaveLength(3)
  for (const pid of pids) expect(children).toContain(pid)
})

test('a worker that is killed is replaced, and requests are answered meanwhile', async () => {
  const service = serve(['-w', '2'])
  await service.program.line('all workers are ready')
  const [victim] = service.children()
  const mark = service.program.mark()
  process.kill(victim!, 'SIGKILL')
  for (let n = 0; n < 20; n++) expect((await service.get()).status).toBe(200)
  const left = await service.program.line(/worker left .*pid=(\d+) signal=SIGKILL/, mark)
  expect(left[1]).toBe(String(victim))
  await ready(service, 1, mark)
  expect(service.children()).toHaveLength(2)
})

test('TERM ends everything with exit code 0, and the pidfile and the socket go', async () => {
  const service = serve(['-w', '2', '--pid', 'arbiter.pid'])
  await ready(service, 2)
  const workers = service.children()
  const pidfile = join(service.folder, 'arbiter.pid')
  expect(readFileSync(pidfile, 'utf8')).toBe(`${service.program.pid}\n`)
  service.program.signal('SIGTERM')
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
  for (const pid of workers) expect(isAlive(pid)).toBe(false)
  expect(existsSync(pidfile)).toBe(false)
  expect(existsSync(join(service.folder, 'http.sock'))).toBe(false)
})

test('TERM waits for the answer that is on its way', async () => {
  const service = serve([])
  await ready(service, 1)
  const slow = service.get('/slow')
  await service.program.line('slow begun')
  const go = await import('node:net').then(({ connect }) => connect(join(service.folder, 'http.sock')))
  await new Promise((resolve) => go.once('connect', resolve))
  service.program.signal('SIGTERM')
  await service.program.line('worker drains')
  go.write('GET /go HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect((await slow).body).toMatch(/^slow \d+$/)
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
})

test.each(['SIGINT', 'SIGQUIT'] as const)('%s cuts what is in flight', async (signal) => {
  const service = serve([])
  await ready(service, 1)
  const slow = service.get('/slow').catch((error: NodeJS.ErrnoException) => error.code)
  await service.program.line('slow begun')
  service.program.signal(signal)
  expect(await slow).toBe('ECONNRESET')
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
})

test('SIGKILL of the arbiter leaves no worker behind, and the address is free', async () => {
  const service = serve(['-w', '2'])
  await ready(service, 2)
  const workers = service.children()
  service.program.signal('SIGKILL')
  await service.program.ended()
  await until(() => workers.every((pid) => !isAlive(pid)))
  const again = serve(['-b', `unix:${join(service.folder, 'http.sock')}`])
  await ready(again, 1)
})
