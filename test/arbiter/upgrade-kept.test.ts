/** What else an upgrade in place keeps, or begins anew: the mold, files, sockets, hooks, and what happens meanwhile. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../support/http.ts'
import { startLoad } from '../support/load.ts'
import { childrenOf, isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'
import { APP, installed, read } from './installed.ts'

const NOTHING = { 'monoceros.config.cjs': 'module.exports = { companions: [] }' }

test('with preload the workers stay, and a mold of the new version, and a process that it has forked ahead, are there before a worker is needed', async () => {
  const { program, socket, upgrade, workers, ctl } = await installed(['--preload'])
  const [, first] = await program.line(/mold is quiet: workers are forked from it pid=(\d+)/)
  const before = await workers()
  let mark = program.mark()
  await upgrade('2.0.0')
  const [, second] = await program.line(/mold is quiet: workers are forked from it pid=(\d+)/, mark)
  expect(await workers()).toEqual(before)
  expect(isAlive(Number(first))).toBe(false)
  expect(childrenOf(program.pid)).toContain(Number(second))
  let spare: number | null = null
  await until(async () => {
    spare = JSON.parse((await ctl('status', '--json')).stdout).molds[0].spare
    return spare !== null
  })
  mark = program.mark()
  process.kill(before[0]!, 'SIGKILL')
  await program.line('worker ready', mark)
  expect(program.output.slice(mark)).not.toContain('mold started')
  expect(await workers()).toEqual([spare, before[1]])
  expect(JSON.parse((await ask({ path: socket })).body).ppid).toBe(program.pid)
})

test('whoever asks for metrics or readiness all the while is answered, and nothing that was counted is forgotten', async () => {
  const { program, socket, upgrade } = await installed(['--metrics-bind', '127.0.0.1:0'])
  const [, port] = await program.line(/metrics are served address=127\.0\.0\.1:(\d+)/)
  for (let n = 0; n < 20; n++) await ask({ path: socket })
  const counted = async (): Promise<number> => {
    const { body } = await ask({ port: Number(port) }, { path: '/metrics' })
    return Number(/^monoceros_requests_total (\d+)$/m.exec(body)?.[1])
  }
  // Workers write their counts down at each beat.
  await until(async () => (await counted()) === 20)
  let asking = true
  const counts: number[] = []
  const scraping = (async () => {
    while (asking) {
      counts.push(await counted())
      expect((await ask({ port: Number(port) }, { path: '/ready' })).status).toBe(200)
    }
  })()
  for (const version of ['2.0.0', '3.0.0']) await upgrade(version)
  asking = false
  await scraping
  expect(counts.length).toBeGreaterThan(2)
  for (const count of counts) expect(count).toBe(20)
})

test('every request has its line in the access log, and USR1 after it moves all of them to new files', async () => {
  const args = ['--error-logfile', 'log/error', '--access-logfile', 'log/access', '--capture-output']
  const says = `console.log('speaks ' + process.pid)\n${APP}`
  const files = { ...NOTHING, 'log/.keep': '', 'app.js': says }
  const { program, folder, socket, ctl, upgrade, workers } = await installed(args, { files, log: 'log/error' })
  const log = (name: string): string => read(join(folder, 'log', name))
  const load = startLoad({ path: socket, connections: 2, pause: 1 })
  await upgrade('2.0.0')
  for (const name of ['error', 'access']) renameSync(join(folder, 'log', name), join(folder, 'log', `${name}.1`))
  program.signal('SIGUSR1')
  await until(() => log('access') !== '')
  const { answered, failures } = await load.stop()
  expect(failures).toEqual({})
  const lines = (): number => `${log('access.1')}${log('access')}`.split('\n').length - 1
  await until(() => lines() >= answered)
  expect(lines()).toBe(answered)
  expect(log('error.1')).toMatch(/version 1\.0\.0 makes place for version 2\.0\.0\n(.*\n)*.*version 2\.0\.0 on Node/)
  process.kill((await workers())[0]!, 'SIGKILL')
  await until(() => /speaks \d+/.test(log('error')))
  expect((await ctl('shutdown')).code).toBe(0)
  await program.ended()
  expect(log('error')).toContain('monoceros has stopped code=0')
  expect(program.output).toBe('')
})

test('a log that cannot be opened any more ends nothing', async () => {
  const files = { ...NOTHING, 'log/.keep': '' }
  const { program, folder, socket, upgrade } = await installed(['--error-logfile', 'log/error'], {
    files,
    log: 'log/error',
  })
  renameSync(join(folder, 'log'), join(folder, 'old'))
  await upgrade('2.0.0')
  await program.line(/errorlog: cannot open \S+\/log\/error: ENOENT; this log goes to stderr/)
  expect((await ask({ path: socket })).status).toBe(200)
  mkdirSync(join(folder, 'log'))
  await upgrade('3.0.0')
  await until(() => read(join(folder, 'log', 'error')).includes('version 3.0.0 on Node'))
})

test('syslog hears of both versions', async () => {
  const heard: string[] = []
  const server = createSocket('udp4').bind(0, '127.0.0.1')
  server.on('message', (data) => heard.push(String(data)))
  await once(server, 'listening')
  const { upgrade } = await installed(['--log-syslog', '--log-syslog-to', `udp://127.0.0.1:${server.address().port}`])
  await upgrade('2.0.0')
  await until(() => heard.some((line) => line.includes('version 2.0.0 on Node')))
  expect(heard.some((line) => line.includes('makes place for version 2.0.0'))).toBe(true)
  server.close()
})

test('a hook that runs is waited for, preExec is called once, and those that follow are called by the new version', async () => {
  const config = `
const { appendFileSync, existsSync } = require('node:fs')
const note = (what) => appendFileSync(__dirname + '/notes', what + '\\n')
const gone = async () => { while (!existsSync(__dirname + '/go')) await new Promise((resolve) => setTimeout(resolve, 5)) }
module.exports = { hookTimeout: '20s', hooks: {
  onStarting: () => note('onStarting'),
  async nworkersChanged(server, now) { note('changing to ' + now); await gone(); note('changed to ' + now) },
  preExec: () => note('preExec'),
  onExit: () => note('onExit'),
} }`
  const { program, folder, install, ctl } = await installed([], { files: { 'monoceros.config.cjs': config } })
  const notes = (): string[] => read(join(folder, 'notes')).split('\n').filter(Boolean)
  program.signal('SIGTTIN')
  await until(() => notes().includes('changing to 3'))
  install('2.0.0')
  const asked = ctl('upgrade')
  await program.line('the new version has passed its trial')
  expect(program.output).not.toContain('makes place')
  writeFileSync(join(folder, 'go'), '')
  expect((await asked).code).toBe(0)
  program.signal('SIGTTOU')
  await until(() => notes().includes('changed to 2'))
  program.signal('SIGTERM')
  await program.ended()
  const changes = ['changing to 3', 'changed to 3', 'preExec', 'changing to 2', 'changed to 2']
  expect(notes()).toEqual(['onStarting', ...changes, 'onExit'])
})

test('a worker and a companion that die while the new image boots are replaced', async () => {
  const { program, install, ctl, workers } = await installed()
  const [worker] = await workers()
  const [, ticker] = await program.line(/ticker begins (\d+)/)
  install('2.0.0')
  const asked = ctl('upgrade')
  await program.line('makes place for version 2.0.0')
  const mark = program.mark()
  for (const pid of [worker!, Number(ticker)]) process.kill(pid, 'SIGKILL')
  expect((await asked).code).toBe(0)
  await program.line(new RegExp(`worker left .*pid=${worker} signal=SIGKILL`), mark)
  await program.line('worker ready', mark)
  await program.line(/ticker begins/, mark)
})

test('an old version that was overwritten is told of: there is no way back to it', async () => {
  const { program, folder, ctl } = await installed()
  writeFileSync(join(folder, '1.0.0', 'package.json'), '{"version": "1.0.1"}')
  expect((await ctl('upgrade')).code).toBe(0)
  expect(program.output).toMatch(/warning .*version 1\.0\.0 on Node \S+ was overwritten: there is no way back to it/)
})
