/** `reforkAfter`: a worker that has served enough becomes the mold of its generation. */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { type Service, serve } from '../arbiter/service.ts'
import { descriptorsOf, isAlive } from '../support/proc.ts'
import { dist, run } from '../support/process.ts'
import { until } from '../support/until.ts'

const AT_ONCE = [
  '--preload',
  '--no-preload-spare',
  '--startsecs',
  '0',
  '--restart-delay',
  '1ms',
  '--restart-delay-max',
  '5ms',
  '--crash-limit',
  '0',
]

/** Counts requests, as an app does that has a cache: what is forked from a worker goes on counting. */
const APP = `
const http = require('node:http')
const { preFork, postFork } = require('${dist('index.js')}')
let served = 0, forks = 0
const early = Math.random
preFork(() => { console.log('preFork in ' + process.pid) })
postFork(async () => { forks++ })
setInterval(() => {}, 1e6).unref()
let kept, context
const server = http.createServer(async (q, r) => {
  served++
  if (q.url === '/keep') { kept = require('node:net').connect(process.env.KEEP); kept.unref(); await require('node:events').once(kept, 'connect') }
  if (q.url === '/fetch') {
    const inner = http.createServer((_, res) => res.end('fetched')).listen(0, '127.0.0.1')
    await require('node:events').once(inner, 'listening')
    await (await fetch('http://127.0.0.1:' + inner.address().port)).text()
    inner.close(); inner.closeAllConnections()
  }
  if (q.url === '/throw') setImmediate(() => { throw new Error('thrown on purpose') })
  if (q.url === '/pool') await require('node:util').promisify(require('node:crypto').pbkdf2)('a', 'b', 1000, 16, 'sha256')
  context ??= require('node:vm').runInNewContext('Math.random')
  const { randomUUID, randomInt } = require('node:crypto')
  r.end(JSON.stringify({ pid: process.pid, ppid: process.ppid, served, forks, drawn: [randomUUID(), randomInt(1e12), Math.random(), early(), context()] }))
}).listen(3000, () => console.log('called back in ' + process.pid))
server.on('listening', () => console.log('listening in ' + process.pid))
process.on('exit', (code) => console.log('exit ' + code + ' of ' + process.pid))
`

type Answer = { pid: number; ppid: number; served: number; forks: number; drawn: (string | number)[] }
const ask = async (service: Service, path = '/'): Promise<Answer> => JSON.parse((await service.get(path)).body)

const start = (workers: number, after: number, args: readonly string[] = [], env = {}): Service =>
  serve([...AT_ONCE, '-w', String(workers), '--refork-after', String(after), ...args], {
    files: { 'app.js': APP },
    env,
  })

async function serveMany(service: Service, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await service.get(n % 7 === 0 ? '/pool' : '/')
}

/** Asks until this line is there. */
async function askUntil(service: Service, line: RegExp, count = 1): Promise<void> {
  await until(async () => {
    await service.get().catch(() => undefined)
    return [...service.program.output.matchAll(new RegExp(line, 'g'))].length >= count
  })
}

const children = (service: Service): number[] => service.children().filter(isAlive)

test('a worker that has served enough becomes the mold, all workers are forked from it, and the old mold goes', async () => {
  const service = start(2, 30)
  const { program } = service
  await program.line('all workers are ready')
  const [, mold] = (await program.line(/mold started pid=(\d+)/)).map(Number)
  await serveMany(service, 80)
  const [, promoted] = (await program.line(/worker has become a mold, on trial .*pid=(\d+)/)).map(Number)
  await program.line(`preFork in ${promoted}`)
  await program.line(`mold has proved itself: workers are forked from it pid=${promoted}`)
  await until(() => !isAlive(mold!))
  // Two workers, and the mold.
  await until(() => children(service).length === 3)
  const status = await run(process.execPath, [dist('cli/monocerosctl.js'), 'status'], {
    cwd: service.folder,
    env: { XDG_RUNTIME_DIR: service.folder },
  })
  expect(status.stdout).toMatch(/WORKER +STATE +PID +GENERATION +MOLD /)
  expect(status.stdout.match(/RUNNING +\d+ +1 +2 /g)).toHaveLength(2)
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(service)))
  expect(answers.every(({ pid }) => pid !== promoted && children(service).includes(pid))).toBe(true)
  // They have what the mold had when it was a worker, and have been forked twice.
  expect(answers.every(({ served, forks, ppid }) => served > 15 && forks === 2 && ppid === program.pid)).toBe(true)
  // They listen again, without a call of `listen`: the callback of that one was called in an earlier life.
  expect(program.output).toMatch(/called back in/)
  for (const { pid } of answers) {
    await program.line(`listening in ${pid}`)
    expect(program.output).not.toContain(`called back in ${pid}`)
  }
  const drawn = answers.flatMap((one) => one.drawn)
  expect(new Set(drawn).size).toBe(drawn.length)
  // Nothing of the arbiter's or of the worker that it was: no listener, no channel but the mold's.
  const open = descriptorsOf(promoted!).filter(({ fd }) => fd > 2)
  expect(open.filter(({ target }) => target.startsWith('socket:'))).toHaveLength(1)
  expect(open.filter(({ target }) => target.includes('memfd'))).toEqual([])
  expect(readdirSync(`/proc/${promoted}/task`).length).toBeLessThanOrEqual(5)
})

test('what is forked from it works, ends as it should, and is the next mold after twice as many requests', async () => {
  const service = start(1, 20)
  const { program } = service
  await program.line('all workers are ready')
  await serveMany(service, 25)
  await askUntil(service, /mold has proved itself/)
  await until(() => children(service).length === 2)
  for (const path of ['/fetch', '/pool', '/']) expect((await ask(service, path)).forks).toBe(2)
  const mark = program.mark()
  const { pid } = await ask(service, '/throw')
  await program.line('thrown on purpose', mark)
  await program.line(new RegExp(`worker left .*pid=${pid} code=1`), mark)
  await program.line(`exit 1 of ${pid}`, mark)
  await until(async () => (await ask(service).catch(() => ({ pid }))).pid !== pid)
  await askUntil(service, /mold has proved itself/, 2)
  await until(() => children(service).length === 2)
  expect((await ask(service)).forks).toBe(3)
  expect(program.output).not.toMatch(/MaxListeners|defect/)
  program.child.kill('SIGTERM')
  expect(await program.ended()).toMatchObject({ code: 0 })
})

test('one that waits to be quiet waits no longer when the arbiter stops', async () => {
  const keep = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => keep.listen(0, '127.0.0.1', resolve))
  const { port } = keep.address() as { port: number }
  const patience = ['--graceful-timeout', '1200s', '--boot-timeout', '600s']
  const service = start(1, 20, patience, { KEEP: String(port) })
  await service.program.line('all workers are ready')
  const { pid } = await ask(service, '/keep')
  await serveMany(service, 25)
  await service.program.line(`preFork in ${pid}`)
  service.program.signal('SIGTERM')
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
  keep.close()
})

test('one that is not quiet stays a worker until it leaves, which is said once, by name; the mold stays', async () => {
  const keep = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => keep.listen(0, '127.0.0.1', resolve))
  const { port } = keep.address() as { port: number }
  const service = start(1, 20, ['--graceful-timeout', '2s'], { KEEP: String(port) })
  const { program } = service
  await program.line('all workers are ready')
  const [, mold] = (await program.line(/mold started pid=(\d+)/)).map(Number)
  const { pid } = await ask(service, '/keep')
  await serveMany(service, 25)
  await program.line(/worker cannot be a mold, the one before it stays: it has open 1 × a TCP socket/)
  await program.line(new RegExp(`worker left .*pid=${pid} code=0`))
  await program.line(`exit 0 of ${pid}`)
  await serveMany(service, 50)
  expect((await ask(service)).forks).toBe(1)
  expect(isAlive(mold!)).toBe(true)
  expect(program.output.match(/cannot be a mold|it is to become a mold/g)).toHaveLength(2)
  keep.close()
})

test('a mold on trial that dies is of no consequence', async () => {
  const service = start(1, 20)
  const { program } = service
  await program.line('all workers are ready')
  await serveMany(service, 25)
  const [, promoted] = (await program.line(/worker has become a mold, on trial .*pid=(\d+)/)).map(Number)
  try {
    process.kill(promoted!, 'SIGKILL')
  } catch {}
  // It may have proved itself before: then it is a mold like any other that dies.
  await program.line(/worker cannot be a mold, the one before it stays: it has died|mold was killed by SIGKILL/)
  const { pid } = await ask(service)
  process.kill(pid, 'SIGKILL')
  await until(async () => (await ask(service).catch(() => ({ pid }))).pid !== pid)
})

test('a reload begins with a mold of its own, and counts anew', async () => {
  const service = start(1, 20)
  const { program } = service
  await program.line('all workers are ready')
  await serveMany(service, 25)
  await askUntil(service, /mold has proved itself/)
  await until(() => children(service).length === 2)
  program.child.kill('SIGHUP')
  await until(async () => (await ask(service)).forks === 1)
  await until(() => children(service).length === 2)
  expect((await ask(service)).served).toBeLessThan(20)
})

test('no request is lost while a worker becomes a mold and the others are replaced', async () => {
  const service = start(2, 40)
  const { program } = service
  await program.line('all workers are ready')
  let over = false
  const failures: unknown[] = []
  const clients = Array.from({ length: 4 }, async () => {
    while (!over) await ask(service).catch((error) => failures.push(error))
  })
  await program.lines(/mold has proved itself/, 2)
  over = true
  await Promise.all(clients)
  expect(failures).toEqual([])
})

test('what an exported app serves, and an access log, go on in the next generation of forks', async () => {
  const service = serve(
    [
      ...AT_ONCE,
      '-w',
      '1',
      '--refork-after',
      '10',
      '--access-logfile',
      'access.log',
      '--access-logformat',
      '%(p)s %(r)s',
    ],
    {
      files: { 'app.js': `module.exports = (q, r) => r.end(String(process.pid))` },
    },
  )
  const { program } = service
  await program.line('all workers are ready')
  await askUntil(service, /mold has proved itself/)
  await until(() => children(service).length === 2)
  const { body } = await service.get('/last')
  await until(() => readFileSync(`${service.folder}/access.log`, 'utf8').includes(`<${body}> GET /last`))
})
