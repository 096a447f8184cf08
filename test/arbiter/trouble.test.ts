/** Workers that hang, processes that are stopped, code in the arbiter's process that meddles with signals. */

import { isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'
import { ready, serve } from './service.ts'

test('a worker in an endless loop has its JavaScript stack logged, is killed and replaced, while others serve', async () => {
  const service = serve(['-w', '2', '--timeout', '2s'])
  await service.program.line('all workers are ready')
  const stuck = service.get('/spin').catch((error: NodeJS.ErrnoException) => error.code)
  await service.program.line('spinning')
  const mark = service.program.mark()
  expect((await service.get()).status).toBe(200)
  await service.program.line(/spinForEver/)
  await service.program.line(/worker left .*signal=SIGABRT/)
  expect(await stuck).toBe('ECONNRESET')
  await ready(service, 1, mark)
  expect(service.children()).toHaveLength(2)
})

test('a worker that is stopped gives no sign of life and is replaced', async () => {
  const service = serve(['-w', '2', '--timeout', '2s'])
  await service.program.line('all workers are ready')
  const [victim] = service.children()
  process.kill(victim!, 'SIGSTOP')
  await service.program.line(new RegExp(`worker left .*pid=${victim} `))
  await ready(service, 3)
  expect(service.children()).not.toContain(victim)
  expect(service.children()).toHaveLength(2)
})

test('an arbiter that was stopped for longer than the timeout forgives its workers', async () => {
  const service = serve(['-w', '2', '--timeout', '1s'])
  await service.program.line('all workers are ready')
  const before = service.children()
  const mark = service.program.mark()
  service.program.signal('SIGSTOP')
  // The workers stand still as well, as in a container that is frozen.
  for (const pid of before) process.kill(pid, 'SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 3000))
  service.program.signal('SIGCONT')
  for (const pid of before) process.kill(pid, 'SIGCONT')
  await service.program.line('the arbiter did not run for a while', mark)
  expect((await service.get()).status).toBe(200)
  service.program.signal('SIGTTIN')
  await ready(service, 1, mark)
  expect(service.children()).toEqual(expect.arrayContaining(before))
})

/** Runs in the arbiter's process beside it, as a careless dependency would. */
const MEDDLER = `
const { spawn, execFileSync } = require('node:child_process')
const signals = ['SIGCHLD', 'SIGHUP', 'SIGTTIN', 'SIGTERM']
let rounds = 0
function round() {
  const handler = () => {}
  for (const signal of signals) process.on(signal, handler)
  const said = execFileSync('/bin/echo', ['sync ' + rounds]).toString().trim()
  const child = spawn('/bin/sh', ['-c', 'exit 7'])
  child.on('exit', (code) => {
    for (const signal of signals) process.off(signal, handler)
    console.log('meddled ' + said + ' exit ' + code)
    if (++rounds < 20) setTimeout(round, 50)
    else console.log('meddled enough')
  })
}
setTimeout(round, 500)
`

test('signals and reaping survive code that spawns and listens for the same signals, and that code gets its results', async () => {
  const service = serve(['-w', '2'], { files: { 'meddler.js': MEDDLER }, nodeOptions: ['-r', './meddler.js'] })
  await service.program.line('all workers are ready')
  for (let n = 0; n < 5; n++) {
    const mark = service.program.mark()
    const [victim] = service.children()
    process.kill(victim!, 'SIGKILL')
    await service.program.line(new RegExp(`worker left .*pid=${victim} signal=SIGKILL`), mark)
    await ready(service, 1, mark)
  }
  await service.program.line('meddled enough')
  expect(service.program.output.match(/meddled sync \d+ exit 7/g)).toHaveLength(20)
  const mark = service.program.mark()
  service.program.signal('SIGTTIN')
  await ready(service, 1, mark)
  service.program.signal('SIGTERM')
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
})

test('a worker that forks leaves nothing of its process group behind', async () => {
  const app = `
    const { spawn } = require('node:child_process')
    const child = spawn('/bin/sleep', ['1000'])
    console.log('forked ' + child.pid)
    require('node:http').createServer((q, r) => r.end()).listen(3000)`
  const service = serve([], { files: { 'app.js': app } })
  const [, grandchild] = await service.program.line(/forked (\d+)/)
  await service.program.line('all workers are ready')
  process.kill(service.children()[0]!, 'SIGKILL')
  await service.program.line('worker left')
  await until(() => !isAlive(Number(grandchild)))
})

test('a worker whose arbiter dies before it has joined does not live on', async () => {
  const service = serve([], { files: { 'app.js': 'console.log("loading"); setInterval(() => {}, 1000)' } })
  await service.program.line('loading')
  const [worker] = service.children()
  service.program.signal('SIGKILL')
  await service.program.ended()
  await until(() => !isAlive(worker!))
  expect(isAlive(worker!)).toBe(false)
})
