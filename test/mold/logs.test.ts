/** Log files that are moved away while a mold is busy: whoever is forked afterwards writes to the new ones. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, serve } from '../arbiter/service.ts'
import { descendantsOf, targetsOf } from '../support/proc.ts'
import { until } from '../support/until.ts'

const LOGS = ['error.log', 'access.log']
const ARGS = ['--preload', '--capture-output', '--error-logfile', 'error.log', '--access-logfile', 'access.log']
/** Loads as long as nobody has opened the FIFO `load` for writing and closed it. */
const APP = `
require('node:fs').readFileSync('load')
require('node:http').createServer((req, res) => {
  console.log('printed by ' + process.pid)
  res.end(String(process.pid))
}).listen(3000)`

const inFile = (service: Service, name: string): string => {
  const path = join(service.folder, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
const load = (service: Service): void => writeFileSync(join(service.folder, 'load'), '')

async function rotate(service: Service): Promise<void> {
  const before = inFile(service, 'error.log').length
  for (const name of LOGS) renameSync(join(service.folder, name), join(service.folder, `${name}.1`))
  service.program.signal('SIGUSR1')
  await until(() => inFile(service, 'error.log.1').slice(before).includes('reopen the logs'))
  await until(() => LOGS.every((name) => existsSync(join(service.folder, name))))
}

function begin(args: readonly string[] = [], more: Readonly<Record<string, string>> = {}): Service {
  const files = { 'app.js': APP, ...more }
  return serve([...ARGS, ...args], { files, prepare: (folder) => void execFileSync('mkfifo', [join(folder, 'load')]) })
}

async function expectNewFiles(service: Service, pid: number): Promise<void> {
  await until(() => inFile(service, 'error.log').includes(`printed by ${pid}`))
  await until(() => inFile(service, 'access.log').includes('GET /'))
  expect(inFile(service, 'error.log.1')).not.toContain(`printed by ${pid}`)
  expect(inFile(service, 'access.log.1')).toBe('')
  expect(inFile(service, 'error.log')).not.toMatch(/critical|defect/)
}

test('logs that are reopened while the app loads are what its workers write to', async () => {
  const service = begin()
  await until(() => inFile(service, 'error.log').includes('mold started'))
  await rotate(service)
  load(service)
  await until(() => inFile(service, 'error.log').includes('all workers are ready'))
  await expectNewFiles(service, Number((await service.get()).body))
})

test('nobody holds a log that was moved away, so that its room on the disk is given back when it is removed', async () => {
  const service = begin(['-c', 'monoceros.json'], {
    'monoceros.json': JSON.stringify({ companions: [{ name: 'one', target: './one.js:run' }] }),
    'one.js': 'exports.run = () => new Promise(() => setInterval(() => {}, 1e6))',
  })
  await until(() => inFile(service, 'error.log').includes('mold started'))
  load(service)
  for (const line of ['all workers are ready', 'companion is RUNNING'])
    await until(() => inFile(service, 'error.log').includes(line))
  const held = (): string[] => descendantsOf(service.program.pid).flatMap(targetsOf)
  await rotate(service)
  await until(() => !held().some((path) => path.endsWith('.log.1')))
  // Worker, mold, manager, its mold, companion.
  expect(held().filter((path) => path.endsWith('error.log')).length).toBeGreaterThanOrEqual(5 * 2)
})

test('so are those that are reopened while a new generation loads', async () => {
  const service = begin()
  await until(() => inFile(service, 'error.log').includes('mold started'))
  load(service)
  await until(() => inFile(service, 'error.log').includes('all workers are ready'))
  service.program.signal('SIGHUP')
  await until(() => /mold started[\s\S]*mold started/.test(inFile(service, 'error.log')))
  await rotate(service)
  load(service)
  await until(() => inFile(service, 'error.log').includes('the new generation serves'))
  await expectNewFiles(service, Number((await service.get()).body))
})
