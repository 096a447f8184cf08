/** Signals to the arbiter, with gunicorn's meanings. */
import { existsSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { dist, start } from '../support/process.ts'
import { until } from '../support/until.ts'
import { ready, serve } from './service.ts'

test('HUP replaces the workers by new ones, which are ready before the old ones leave', async () => {
  const service = serve(['-w', '2'])
  await service.program.line('all workers are ready')
  const old = service.children()
  const mark = service.program.mark()
  service.program.signal('SIGHUP')
  await service.program.lines(/worker left .*code=0/, 2, mark)
  const said = service.program.output.slice(mark)
  expect(said.indexOf('the new generation serves')).toBeGreaterThan(said.lastIndexOf('worker ready'))
  expect(said.indexOf('worker left')).toBeGreaterThan(said.indexOf('the new generation serves') - 1)
  const now = service.children()
  expect(now).toHaveLength(2)
  for (const pid of old) expect(now).not.toContain(pid)
})

test('HUP reads the code and the settings again', async () => {
  const service = serve(['-c', 'monoceros.config.json'], {
    files: {
      'monoceros.config.json': JSON.stringify({ workers: 1, env: { GREETING: 'old' } }),
      'app.js': greeting('a'),
    },
  })
  await service.program.line('all workers are ready')
  expect((await service.get()).body).toBe('a old')
  writeFileSync(join(service.folder, 'app.js'), greeting('b'))
  writeFileSync(join(service.folder, 'monoceros.config.json'), JSON.stringify({ workers: 2, env: { GREETING: 'new' } }))
  service.program.signal('SIGHUP')
  await service.program.line('the new generation serves')
  await service.program.line(/worker left .*code=0/)
  expect((await service.get()).body).toBe('b new')
  expect(service.children()).toHaveLength(2)
})

test('HUP runs what the folder that monoceros was started in is a link to by then', async () => {
  const folder = temporaryFolder({
    'one/app.js': whereabouts('one'),
    'two/app.js': whereabouts('two'),
    'two/monoceros.config.json': JSON.stringify({ workers: 2 }),
  })
  symlinkSync('one', join(folder, 'current'))
  const path = join(folder, 'http.sock')
  const command = [process.execPath, dist('cli/monoceros.js'), 'app.js', '-b', `unix:${path}`]
  const program = start('sh', ['-c', 'cd current && exec "$@"', 'sh', ...command], {
    cwd: folder,
    env: { XDG_RUNTIME_DIR: folder },
  })
  await program.line('all workers are ready')
  expect((await ask({ path })).body).toBe(`one ${folder}/one`)
  symlinkSync('two', join(folder, 'next'))
  renameSync(join(folder, 'next'), join(folder, 'current'))
  program.signal('SIGHUP')
  await program.line('the new generation serves')
  await program.line(/worker left .*code=0/)
  expect((await ask({ path })).body).toBe(`two ${folder}/two`)
  await program.lines(/worker ready worker=2:/, 2)
})

test('HUP with settings that are wrong changes nothing and names what is wrong', async () => {
  const service = serve(['-c', 'monoceros.config.json'], { files: { 'monoceros.config.json': '{}' } })
  await service.program.line('all workers are ready')
  const before = service.children()
  writeFileSync(join(service.folder, 'monoceros.config.json'), JSON.stringify({ workers: -3, nonsense: 1 }))
  service.program.signal('SIGHUP')
  await service.program.line(/reload refused: .*workers.*-3.*nothing has changed/)
  await service.program.line(/reload refused: .*nonsense.*nothing has changed/)
  expect(service.children()).toEqual(before)
  expect((await service.get()).status).toBe(200)
})

test('HUP with an app that throws keeps the old generation', async () => {
  const service = serve(['-w', '2'])
  await service.program.line('all workers are ready')
  const before = service.children().sort()
  writeFileSync(join(service.folder, 'app.js'), 'throw new Error("broken on purpose")')
  service.program.signal('SIGHUP')
  await service.program.line(/reload failed: .*broken on purpose.*the old generation serves on/)
  await service.program.lines(/worker left worker=2:/, 2)
  expect(service.children().sort()).toEqual(before)
  expect((await service.get()).status).toBe(200)
})

test('a HUP that is sent while workers boot is obeyed, and the newest code serves', async () => {
  const service = serve(['-w', '1'], { files: { 'app.js': greeting('first') } })
  await service.program.line('worker started')
  writeFileSync(join(service.folder, 'app.js'), greeting('second'))
  service.program.signal('SIGHUP')
  await service.program.line('the new generation serves')
  expect((await service.get()).body).toBe('second undefined')
})

test('TERM during a reload ends both generations, and what is in flight is answered', async () => {
  const app = (more: string): string => `
const { existsSync } = require('node:fs')
require('node:http').createServer((req, res) => {
  console.log('asked')
  const look = setInterval(() => { if (existsSync(__dirname + '/go')) { clearInterval(look); res.end('whole') } }, 10)
})${more}`
  const service = serve(['-w', '1'], { files: { 'app.js': app('.listen(3000)') } })
  const { program, folder } = service
  await program.line('all workers are ready')
  const answer = service.get()
  await program.line(/^asked/)
  writeFileSync(join(folder, 'app.js'), app('; setInterval(() => {}, 1000)'))
  program.signal('SIGHUP')
  await program.line('worker started worker=2:0')
  program.signal('SIGTERM')
  await program.line('received SIGTERM')
  writeFileSync(join(folder, 'go'), '')
  expect((await answer).body).toBe('whole')
  expect(await program.ended()).toEqual({ code: 0, signal: null })
  expect(program.output).toMatch(/worker left worker=2:0/)
})

test('TTIN adds a worker, TTOU takes one away but never the last', async () => {
  const service = serve(['-w', '1'])
  await service.program.line('all workers are ready')
  service.program.signal('SIGTTIN')
  await ready(service, 2)
  expect(service.children()).toHaveLength(2)
  service.program.signal('SIGTTOU')
  await service.program.line(/worker left worker=1:1 .*code=0/)
  const mark = service.program.mark()
  service.program.signal('SIGTTOU')
  await service.program.line('received SIGTTOU', mark)
  service.program.signal('SIGTTIN')
  await ready(service, 1, mark)
  expect(service.children()).toHaveLength(2)
})

test('WINCH drains the workers and keeps the arbiter; HUP brings them back', async () => {
  const service = serve(['-w', '2'])
  await service.program.line('all workers are ready')
  service.program.signal('SIGWINCH')
  await service.program.line('all workers are drained')
  expect(service.children()).toEqual([])
  const mark = service.program.mark()
  service.program.signal('SIGHUP')
  await ready(service, 2, mark)
  expect((await service.get()).status).toBe(200)
})

test('after WINCH, TTIN brings back one worker, and TERM ends it all', async () => {
  const service = serve(['-w', '2'])
  await service.program.line('all workers are ready')
  service.program.signal('SIGWINCH')
  await service.program.line('all workers are drained')
  const mark = service.program.mark()
  service.program.signal('SIGTTIN')
  await ready(service, 1, mark)
  expect((await service.get()).status).toBe(200)
  expect(service.children()).toHaveLength(1)
  service.program.signal('SIGTERM')
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
  expect(service.program.output).not.toContain('defect')
  expect(service.program.output.slice(mark)).toMatch(/worker left worker=2:0 .*code=0/)
})

test('USR1 reopens the log, also for what workers print', async () => {
  const service = serve(['--error-logfile', 'service.log', '--control-socket', 'ctl.sock'], {
    files: {
      'app.js': `require('node:http').createServer((q, r) => { console.log('asked ' + q.url); r.end() }).listen(3000)`,
    },
  })
  const log = join(service.folder, 'service.log')
  await appears(log, 'all workers are ready')
  await service.get('/one')
  await appears(log, 'asked /one')
  renameSync(log, `${log}.1`)
  service.program.signal('SIGUSR1')
  await until(() => textOf(log) !== null)
  // Opened by the arbiter; a worker writes to the old file until the message has come that brings the new one.
  await until(() => service.children().every((pid) => writesTo(pid, log)))
  await service.get('/two')
  await appears(log, 'asked /two')
  expect(textOf(`${log}.1`)).not.toContain('asked /two')
  expect(textOf(`${log}.1`)! + textOf(log)!).toContain('received SIGUSR1')
})

const greeting = (word: string): string =>
  `require('node:http').createServer((req, res) => res.end('${word} ' + process.env.GREETING)).listen(3000)`

const appears = (file: string, text: string): Promise<void> => until(() => textOf(file)?.includes(text) ?? false)

/** Null where there is no such file. */
const textOf = (file: string): string | null => (existsSync(file) ? readFileSync(file, 'utf8') : null)

/** Whether that is what its standard output is. */
const writesTo = (pid: number, file: string): boolean => statSync(`/proc/${pid}/fd/1`).ino === statSync(file).ino

const whereabouts = (name: string) =>
  `require('node:http').createServer((q, r) => r.end('${name} ' + process.cwd())).listen(3000)`

test('a worker that ends itself by the signal that has asked for its end has left in good order; by any other, not', async () => {
  const app = `
    const server = require('node:http').createServer((q, r) => {
      r.end()
      if (q.url === '/end') process.kill(process.pid, 'SIGKILL')
    }).listen(3000)
    process.on('SIGTERM', function ended() {
      process.off('SIGTERM', ended)
      server.close(() => process.kill(process.pid, 'SIGTERM'))
    })`
  const service = serve(['-w', '1', '--startsecs', '0'], { files: { 'app.js': app } })
  await service.program.line('all workers are ready')
  service.program.signal('SIGHUP')
  await service.program.line(/ info +arbiter\[\d+\] worker left worker=1:0 pid=\d+ signal=SIGTERM/)
  await service.get('/end').catch(() => undefined)
  await service.program.line(/ warning +arbiter\[\d+\] worker left worker=2:0 pid=\d+ signal=SIGKILL/)
})
