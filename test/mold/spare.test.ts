/**
 * The process that is forked ahead: nobody notices it before a worker is made of it, and it is gone whenever it is not
 * wanted. Each race is forced by a stop or a kill at the moment in question.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../../lib/control/client.ts'
import { ready, type Service, serve } from '../arbiter/service.ts'
import { faults } from '../support/faults.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ask as askHttp } from '../support/http.ts'
import { isAlive, stateOf, targetsOf } from '../support/proc.ts'
import { dist } from '../support/process.ts'
import { until } from '../support/until.ts'

const AT_ONCE = ['--startsecs', '0', '--crash-limit', '0', '--restart-delay', '1ms', '--restart-delay-max', '5ms']
/** Whatever of it runs says in which process. */
const APP = `
const { randomUUID } = require('node:crypto')
setInterval(() => console.log('tick in ' + process.pid), 5)
setImmediate(() => console.log('later in ' + process.pid))
require('${dist('index.js')}').postFork(async () => {
  const began = performance.now(), date = Date.now()
  await new Promise((resolve) => setTimeout(resolve, 50))
  console.log('born ' + JSON.stringify({
    pid: process.pid, ppid: process.ppid, waited: performance.now() - began, dated: Date.now() - date, date,
    drawn: [randomUUID(), Math.random()],
  }))
})
require('node:http').createServer((q, r) => r.end(String(process.pid))).listen(3000)
`
type Born = { pid: number; ppid: number; waited: number; dated: number; date: number; drawn: (string | number)[] }
type Status = { molds: { pid: number; spare: number | null }[]; workers: { pid: number | null }[] }

function begin(args: readonly string[] = [], files = {}, env = {}): Service {
  const options = { files: { 'app.js': APP, ...files }, env }
  return serve(['--preload', '--control-socket', 'control', ...AT_ONCE, ...args], options)
}

async function status({ folder }: Service): Promise<Status> {
  return (await ask(join(folder, 'control'), { cmd: 'status' }, { silence: null })) as unknown as Status
}

/** The one that waits, as soon as there is one. `not`: another than that. */
async function spareOf(service: Service, not?: number): Promise<number> {
  let spare: number | null = null
  await until(async () => {
    spare = (await status(service)).molds.at(-1)?.spare ?? null
    return spare !== null && spare !== not
  })
  return spare!
}

async function whole(args: readonly string[] = [], files = {}, env = {}): Promise<{ service: Service; spare: number }> {
  const service = begin(args, files, env)
  await service.program.line('all workers are ready')
  return { service, spare: await spareOf(service) }
}

const workersOf = async (service: Service): Promise<number[]> =>
  (await status(service)).workers.flatMap(({ pid }) => pid ?? [])

/** A worker is killed; who takes its place. */
async function replace(service: Service): Promise<number> {
  const mark = service.program.mark()
  const [victim] = await workersOf(service)
  process.kill(victim!, 'SIGKILL')
  const [, pid] = await service.program.line(/worker ready .*pid=(\d+)/, mark)
  return Number(pid)
}

const isStopped = (pid: number): boolean => stateOf(pid) === 'T'

const socketsOf = (pid: number): readonly string[] => targetsOf(pid).filter((target) => target.startsWith('socket:'))

/** Workers, mold and spare, and nobody else. */
const isComplete = (service: Service, workers: number): Promise<void> =>
  until(() => service.children().filter(isAlive).length === workers + 2)

test('a worker that dies is replaced by the one that waits, in which nothing of the app has run before', async () => {
  const { service, spare } = await whole()
  const { program } = service
  await program.lines(/tick in/, 20)
  const [worker] = await workersOf(service)
  expect((await status(service)).workers).toHaveLength(1)
  expect(worker).not.toBe(spare)
  expect(program.output).not.toMatch(new RegExp(`(in|born|pid[=":]+) ?${spare}\\b`))
  expect(await replace(service)).toBe(spare)
  await program.line(`tick in ${spare}`)
  expect((await service.get()).body).toBe(String(spare))
  expect(program.output.match(/worker started/g)).toHaveLength(2)
  const next = await spareOf(service, spare)
  expect(next).not.toBe(spare)
  await isComplete(service, 1)
})

test('each has its own pid, parent and randomness, and clocks and timers that are right after a long wait', async () => {
  const { service } = await whole()
  const births = 4
  for (let n = 1; n < births; n++) {
    const spare = await spareOf(service)
    const waitsSince = Date.now()
    // Longer than the timer that it will set.
    await until(() => Date.now() - waitsSince > 200)
    const killed = Date.now()
    expect(await replace(service)).toBe(spare)
    const [, born] = await service.program.line(new RegExp(`^born (\\{"pid":${spare},.*)$`))
    const { pid, ppid, waited, dated, date } = JSON.parse(born!) as Born
    expect([pid, ppid]).toEqual([spare, service.program.pid])
    expect(date).toBeGreaterThanOrEqual(killed)
    // Node may call up to a millisecond early.
    expect(waited).toBeGreaterThan(48.9)
    expect(dated).toBeGreaterThanOrEqual(48)
  }
  const all = await service.program.lines(/^born (.*)$/, births)
  const drawn = all.flatMap(([, born]) => (JSON.parse(born!) as Born).drawn)
  expect(new Set(drawn).size).toBe(2 * births)
})

test('one that dies while it waits is reaped and said; the next worker is forked, and another one then', async () => {
  const { service, spare } = await whole()
  process.kill(spare, 'SIGKILL')
  await service.program.line(`process that was forked ahead was killed by SIGKILL pid=${spare}`)
  expect(service.program.output).not.toContain('worker left')
  expect((await status(service)).molds).toEqual([expect.objectContaining({ state: 'QUIET', spare: null })])
  const worker = await replace(service)
  expect(worker).not.toBe(spare)
  expect(await spareOf(service)).not.toBe(worker)
  await isComplete(service, 1)
})

test('of two that die at once one is replaced by it, the other by a fork', async () => {
  const { service, spare } = await whole(['-w', '2'])
  const mark = service.program.mark()
  for (const pid of await workersOf(service)) process.kill(pid, 'SIGKILL')
  await ready(service, 2, mark)
  expect(await workersOf(service)).toContain(spare)
  await spareOf(service, spare)
  await isComplete(service, 2)
})

test('one that is stopped when it is needed is the worker when it goes on; what was asked meanwhile is answered', async () => {
  const { service, spare } = await whole()
  const mark = service.program.mark()
  const [victim] = await workersOf(service)
  process.kill(spare, 'SIGSTOP')
  await until(() => isStopped(spare))
  process.kill(victim!, 'SIGKILL')
  await service.program.line(new RegExp(`worker started .*pid=${spare}`), mark)
  const asked = service.get()
  process.kill(spare, 'SIGCONT')
  expect((await asked).body).toBe(String(spare))
  await spareOf(service, spare)
  await isComplete(service, 1)
})

test('one that stays stopped is given up as any worker that is not ready in time, and another one answers', async () => {
  const { service, spare } = await whole(['--boot-timeout', '2s'])
  const mark = service.program.mark()
  const [victim] = await workersOf(service)
  process.kill(spare, 'SIGSTOP')
  await until(() => isStopped(spare))
  process.kill(victim!, 'SIGKILL')
  await service.program.line(new RegExp(`worker started .*pid=${spare}`), mark)
  const { body } = await service.get()
  expect(Number(body)).not.toBe(spare)
  await service.program.line(/worker is in trouble .*was not ready in time/, mark)
  await service.program.line(new RegExp(`worker left .*pid=${spare}`), mark)
  expect(isAlive(spare)).toBe(false)
  await isComplete(service, 1)
})

test('a mold that is stopped when another one is to be forked ahead is found out, and serving goes on', async () => {
  const { service, spare } = await whole()
  const { program } = service
  const mold = (await status(service)).molds[0]!.pid
  process.kill(mold, 'SIGSTOP')
  await until(() => isStopped(mold))
  const mark = program.mark()
  expect(await replace(service)).toBe(spare)
  await program.line(`mold has not answered for 2 s, and is waited for pid=${mold}`, mark)
  expect((await service.get()).body).toBe(String(spare))
  await program.line(
    `mold does not answer: it is ended, and another one is started for the next worker pid=${mold}`,
    mark,
  )
  await until(() => !isAlive(mold))
  expect((await service.get()).body).toBe(String(spare))
  expect(await replace(service)).not.toBe(spare)
  await spareOf(service, spare)
  await isComplete(service, 1)
})

test('it goes with its mold, and a worker that is needed then has the code loaded anew', async () => {
  const { service, spare } = await whole()
  const mold = (await status(service)).molds[0]!.pid
  process.kill(mold, 'SIGKILL')
  await until(() => !isAlive(spare))
  await service.program.line(`mold was killed by SIGKILL pid=${mold}`)
  expect(await replace(service)).not.toBe(spare)
  await spareOf(service)
  await isComplete(service, 1)
})

test('it dies with the arbiter, also where it cannot hear that the channel has ended', async () => {
  const { service, spare } = await whole()
  process.kill(spare, 'SIGSTOP')
  await until(() => isStopped(spare))
  process.kill(service.program.pid, 'SIGKILL')
  await service.program.ended()
  await until(() => !isAlive(spare))
  expect(service.program.output).not.toContain(`born {"pid":${spare}`)
})

test('a stop ends it, and waits until it is reaped', async () => {
  const { service } = await whole(['-w', '2'])
  const all = service.children()
  expect(all).toHaveLength(4)
  service.program.signal('SIGTERM')
  expect((await service.program.ended()).code).toBe(0)
  expect(all.filter(isAlive)).toEqual([])
  expect(service.program.output).not.toContain('forked ahead')
})

test('a stop that comes before it is asked for kills a worker that hangs when its time is over', async () => {
  const hangs = `
    process.on('monoceros:drain', () => { for (;;); })
    require('node:http').createServer().listen(3000)`
  const service = begin(['--graceful-timeout', '2s'], { 'app.js': hangs })
  await service.program.line('worker ready')
  service.program.signal('SIGTERM')
  expect((await service.program.ended()).code).toBe(0)
  expect(service.program.output).toMatch(/worker left .*signal=SIGKILL/)
  expect(service.program.output).not.toContain('did not run')
})

test('WINCH ends it with the workers; HUP gives the new code one of its own', async () => {
  const { service, spare } = await whole()
  service.program.signal('SIGWINCH')
  await until(() => service.children().length === 0)
  expect(isAlive(spare)).toBe(false)
  writeFileSync(join(service.folder, 'app.js'), APP.replace('r.end(String', `r.end('new ' + String`))
  const mark = service.program.mark()
  service.program.signal('SIGHUP')
  await ready(service, 1, mark)
  const next = await spareOf(service)
  expect(await replace(service)).toBe(next)
  expect((await service.get()).body).toBe(`new ${next}`)
})

test('after a reload the one of the old code is gone, and the next worker has the new code', async () => {
  const { service, spare } = await whole()
  writeFileSync(join(service.folder, 'app.js'), APP.replace('r.end(String', `r.end('new ' + String`))
  service.program.signal('SIGHUP')
  await service.program.line('the new generation serves')
  await until(() => !isAlive(spare))
  const next = await spareOf(service)
  expect(await replace(service)).toBe(next)
  expect((await service.get()).body).toBe(`new ${next}`)
  await spareOf(service, next)
  await isComplete(service, 1)
})

test('a reload that fails leaves one of the old code', async () => {
  const { service } = await whole()
  writeFileSync(join(service.folder, 'app.js'), 'throw new Error("broken on purpose")')
  service.program.signal('SIGHUP')
  await service.program.line(/reload failed: .*broken on purpose/)
  const spare = await spareOf(service)
  expect(await replace(service)).toBe(spare)
  expect((await service.get()).body).toBe(String(spare))
})

test('after USR1 it writes into the new file', async () => {
  const args = ['--error-logfile', 'log', '--capture-output']
  const service = begin(args)
  const log = join(service.folder, 'log')
  const said = (file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return '' // it is not there yet
    }
  }
  await until(() => said(log).includes('all workers are ready'))
  const spare = await spareOf(service)
  renameSync(log, `${log}.1`)
  service.program.signal('SIGUSR1')
  await until(() => !isAlive(spare))
  const next = await spareOf(service)
  const [victim] = await workersOf(service)
  process.kill(victim!, 'SIGKILL')
  await until(() => said(log).includes(`born {"pid":${next},`))
  expect(said(`${log}.1`)).not.toContain(`born {"pid":${next},`)
})

test('what others listen on is closed in a worker that does not, and is there again when it does', async () => {
  const app = `
    const http = require('node:http')
    const also = http.createServer((q, r) => r.end('also ' + process.pid))
    http.createServer((q, r) => {
      if (q.url !== '/also') r.end(String(process.pid))
      else also.listen('also.sock', () => r.end(String(process.pid)))
    }).listen(3000)`
  const { service } = await whole([], { 'app.js': app })
  /** What the arbiter has as well: listeners, and our pipes for the output. */
  const shared = (pid: number): number => {
    const own = new Set(socketsOf(pid))
    return new Set(socketsOf(service.program.pid).filter((socket) => own.has(socket))).size
  }
  const [first] = await workersOf(service)
  const usual = shared(first!)
  await service.get('/also')
  expect(shared(first!)).toBe(usual + 1)
  let spare = await replace(service)
  // Only one that is forked ahead from now on has been told of both.
  spare = await spareOf(service, spare)
  // Not what is bound, but that one.
  await until(() => shared(spare) === usual)
  expect(await replace(service)).toBe(spare)
  await until(() => shared(spare) === usual)
  expect((await service.get('/also')).body).toBe(String(spare))
  const path = join(service.folder, 'also.sock')
  expect((await askHttp({ path })).body).toBe(`also ${spare}`)
})

test('a worker that has become a mold has one of its own', async () => {
  const { service, spare } = await whole(['--refork-after', '20'], { 'app.js': APP.replace(/^setInterval.*$/m, '') })
  for (let n = 0; n < 30; n++) await service.get()
  const [, promoted] = await service.program.line(/mold has proved itself: .*pid=(\d+)/)
  await until(() => !isAlive(spare))
  await until(async () => (await status(service)).molds.every(({ pid }) => pid === Number(promoted)))
  const next = await spareOf(service)
  expect(await replace(service)).toBe(next)
  expect((await service.get()).body).toBe(String(next))
})

test('without preloadSpare there is none', async () => {
  const service = begin(['--no-preload-spare'])
  await service.program.line('all workers are ready')
  await replace(service)
  await service.program.lines(/tick in/, 100)
  expect((await status(service)).molds).toEqual([expect.objectContaining({ spare: null })])
  expect(service.children().filter(isAlive)).toHaveLength(2)
})

/** The fork after the next birth, which is that of the next one to wait, goes wrong in this way. */
async function failAhead(words: string): Promise<{ service: Service; mold: number; worker: number }> {
  const next = join(temporaryFolder(), 'fault')
  const { service, spare } = await whole([], {}, faults({ FAULTS_AT: next }))
  writeFileSync(next, words)
  expect(await replace(service)).toBe(spare)
  return { service, mold: (await status(service)).molds[0]!.pid, worker: spare }
}

test('a fork ahead that fails is let be: the next worker is forked when it is needed', async () => {
  const { service, worker } = await failAhead('enomem')
  // By then the fault has been used up, or the worker could not be forked.
  await service.program.lines(/tick in/, 100, service.program.mark())
  expect(await replace(service)).not.toBe(worker)
  await spareOf(service)
  await isComplete(service, 1)
})

test('one that has died before it is answered for is none', async () => {
  const { service, mold } = await failAhead('child dies, parent stops')
  await until(() => isStopped(mold))
  await until(() => service.children().filter(isAlive).length === 2)
  process.kill(mold, 'SIGCONT')
  await replace(service)
  await spareOf(service)
  await isComplete(service, 1)
})

test('a mold that dies between the fork ahead and its answer leaves nobody', async () => {
  const { service, mold } = await failAhead('parent dies')
  await service.program.line(`mold was killed by SIGKILL pid=${mold}`)
  await until(() => service.children().filter(isAlive).length === 1)
  await replace(service)
  await spareOf(service)
  await isComplete(service, 1)
})

test('a worker that is needed while one is being forked ahead is forked after it, which waits then', async () => {
  const { service, mold, worker } = await failAhead('parent stops')
  await until(() => isStopped(mold))
  const mark = service.program.mark()
  process.kill(worker, 'SIGKILL')
  await service.program.line(new RegExp(`worker left .*pid=${worker}`), mark)
  process.kill(mold, 'SIGCONT')
  await ready(service, 1, mark)
  await spareOf(service)
  await isComplete(service, 1)
  expect((await service.get()).body).toBe(String((await workersOf(service))[0]))
})

test('output that goes elsewhere while one is being forked ahead: another one comes in its place', async () => {
  const next = join(temporaryFolder(), 'fault')
  const { service, spare } = await whole([], {}, faults({ FAULTS_AT: next }))
  writeFileSync(next, 'parent stops')
  expect(await replace(service)).toBe(spare)
  const mold = (await status(service)).molds[0]!.pid
  await until(() => isStopped(mold))
  await until(() => service.children().filter(isAlive).length === 3)
  const early = service.children().find((pid) => pid !== mold && pid !== spare)!
  service.program.signal('SIGUSR1')
  await service.program.line(/received SIGUSR1/)
  process.kill(mold, 'SIGCONT')
  await until(() => !isAlive(early))
  expect(await replace(service)).not.toBe(early)
})

test('a stop does not wait for the answer about one that is forked ahead', async () => {
  const { service, mold } = await failAhead('parent stops')
  await until(() => isStopped(mold))
  const all = service.children()
  service.program.signal('SIGTERM')
  expect((await service.program.ended()).code).toBe(0)
  await until(() => !all.some(isAlive))
})
