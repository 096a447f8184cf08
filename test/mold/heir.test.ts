/**
 * A worker that is dying is followed before it is gone: who was forked ahead begins, and becomes the worker when the other
 * was reaped. The time in between is made long by a process that replaces its image, which looks like a death at first.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, serve } from '../arbiter/service.ts'
import { isAlive } from '../support/proc.ts'
import { dist } from '../support/process.ts'
import { until } from '../support/until.ts'

const APP = `
const kernel = require('${dist('kernel/addon.js')}').loadKernel()
require('node:http').createServer((req, res) => {
  if (req.url === '/exec') kernel.execve('/bin/sleep', ['sleep', '1000'], {}, [])
  if (req.url === '/slow') {
    console.log('slow begun by ' + process.pid)
    return require('node:fs').readFile('fifo', () => res.end('slow'))
  }
  res.end(String(process.pid))
}).listen(3000)`

const pidOf = async (service: Service): Promise<number> => Number((await service.get()).body)

/** `dying`: still there. `heir`: serves already. */
async function begin(args: readonly string[] = []): Promise<{ service: Service; dying: number; heir: number }> {
  const prepare = (folder: string): void => void execFileSync('mkfifo', [join(folder, 'fifo')])
  const service = serve(['--preload', ...args], { files: { 'app.js': APP }, prepare })
  await service.program.line('all workers are ready')
  const dying = await pidOf(service)
  // The mold, the worker, and who was forked ahead.
  await until(() => service.children().length === 3)
  await expect(service.get('/exec')).rejects.toThrow()
  const heir = await pidOf(service)
  expect(heir).not.toBe(dying)
  expect(isAlive(dying)).toBe(true)
  return { service, dying, heir }
}

test('who follows serves while the other is still there, and is the worker when that is gone', async () => {
  const { service, dying, heir } = await begin()
  expect(service.program.output).not.toMatch(new RegExp(`worker started .*pid=${heir}`))
  process.kill(dying, 'SIGKILL')
  const { output } = service.program
  await service.program.line(new RegExp(`worker ready worker=1:0 pid=${heir}`), output.length)
  expect(await pidOf(service)).toBe(heir)
  expect(service.program.output).toMatch(new RegExp(`worker left worker=1:0 pid=${dying} signal=SIGKILL`))
})

test('its log is reopened with the others’', async () => {
  const { service, heir } = await begin(['--access-logfile', 'access.log'])
  const path = join(service.folder, 'access.log')
  renameSync(path, `${path}.1`)
  service.program.signal('SIGUSR1')
  await until(async () => {
    expect(await pidOf(service)).toBe(heir)
    return existsSync(path) && readFileSync(path, 'utf8').includes('GET /')
  })
})

test('it is ended where another is not wanted', async () => {
  const { service, heir } = await begin()
  service.program.signal('SIGTERM')
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
  expect(isAlive(heir)).toBe(false)
})

test.each([
  ['SIGTERM', { code: 0, signal: null }],
  ['SIGWINCH', null],
] as const)('it answers what it has begun with before it is gone, by %s', async (signal, end) => {
  const { service, heir } = await begin()
  const slow = service.get('/slow')
  await service.program.line(`slow begun by ${heir}`)
  service.program.signal(signal)
  await service.program.line(/worker left worker=1:0/)
  writeFileSync(join(service.folder, 'fifo'), '')
  expect((await slow).body).toBe('slow')
  if (end !== null) expect(await service.program.ended()).toEqual(end)
  else await until(() => !isAlive(heir))
})

test('nor is it waited for in a quick stop', async () => {
  const { service, heir } = await begin()
  const slow = service.get('/slow').catch(() => 'lost')
  await service.program.line(`slow begun by ${heir}`)
  service.program.signal('SIGTERM')
  await service.program.line(/worker left worker=1:0/)
  service.program.signal('SIGINT')
  expect(await slow).toBe('lost')
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
  expect(isAlive(heir)).toBe(false)
})

test('a reload puts the next generation in its place', async () => {
  const { service, heir } = await begin()
  service.program.signal('SIGHUP')
  await service.program.line(/worker ready worker=2:0/)
  await until(() => !isAlive(heir))
  expect(await pidOf(service)).not.toBe(heir)
})

test('where it dies first another is forked when it is time', async () => {
  const { service, dying, heir } = await begin()
  process.kill(heir, 'SIGKILL')
  await until(() => !isAlive(heir))
  process.kill(dying, 'SIGKILL')
  const next = await pidOf(service)
  expect([dying, heir]).not.toContain(next)
  service.program.signal('SIGTERM')
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
})
