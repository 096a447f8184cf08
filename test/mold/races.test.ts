/**
 * A fork and whoever waits for it, each stopped or killed at the moment in question: the pool keeps serving, and no
 * process is there that nobody knows.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ready, type Service, serve } from '../arbiter/service.ts'
import { faults } from '../support/faults.ts'
import { temporaryFolder } from '../support/folder.ts'
import { entryOf, isAlive, stateOf } from '../support/proc.ts'
import { dist } from '../support/process.ts'
import { until } from '../support/until.ts'

const AT_ONCE = ['--startsecs', '0', '--crash-limit', '0', '--restart-delay', '1ms', '--restart-delay-max', '5ms']
const APP = `
const { existsSync } = require('node:fs')
require('${dist('index.js')}').postFork(() => {
  console.log('born ' + process.pid)
  return existsSync('hang') ? new Promise((resolve) => setTimeout(resolve, 2 ** 30)) : null
})
require('node:http').createServer((q, r) => r.end(String(process.pid))).listen(3000)
`

type Scene = {
  readonly service: Service
  readonly mold: number
  workers(): number[]
  /** What shall happen at the next fork (`faults.c`). */
  fault(words: string): void
}

async function scene(workers: number, args: readonly string[] = []): Promise<Scene> {
  const next = join(temporaryFolder(), 'fault')
  const options = { files: { 'app.js': APP }, env: faults({ FAULTS_AT: next }) }
  // With one that is forked ahead there would be no fork to wait for (`spare.test.ts`).
  const service = serve(['--preload', '--no-preload-spare', '-w', String(workers), ...AT_ONCE, ...args], options)
  // Users of these tests may have to read the app.
  chmodSync(service.folder, 0o755)
  await service.program.line('all workers are ready')
  // What workers say comes through another pipe, and those of later forks are counted.
  await service.program.lines(/^born /, workers)
  const mold = Number((await service.program.line(/mold started pid=(\d+)/))[1])
  const forked = (): number[] => service.children().filter((pid) => pid !== mold)
  return { service, mold, workers: forked, fault: (words) => writeFileSync(next, words) }
}

async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await until(() => stateOf(pid) === 'T')
}

/** The mold sleeps while a worker dies, so that the request for another one lies in front of it. */
async function askInVain({ service, mold, workers }: Scene): Promise<void> {
  await freeze(mold)
  const mark = service.program.mark()
  const victim = workers().at(-1)
  process.kill(victim!, 'SIGKILL')
  await service.program.line(new RegExp(`worker left .*pid=${victim} signal=SIGKILL`), mark)
  // The turn that wrote this line asks as well.
  await until(() => stateOf(service.program.pid) === 'S')
}

/** The arbiter sleeps while the mold forks: the child, which waits for the arbiter's word. */
async function forkUnheard(of: Scene): Promise<number> {
  await askInVain(of)
  const before = of.workers()
  await freeze(of.service.program.pid)
  process.kill(of.mold, 'SIGCONT')
  const born = (): number | undefined => of.workers().find((pid) => !before.includes(pid))
  await until(() => born() !== undefined)
  return born()!
}

const resume = (pid: number): void => void process.kill(pid, 'SIGCONT')

/** Answers come from processes that the arbiter has, and it has no others. */
async function isWhole({ service }: Scene, workers: number): Promise<void> {
  await until(() => service.children().filter(isAlive).length === workers + 1)
  expect(service.children()).toContain(Number((await service.get()).body))
}

test('a child that dies before it was heard of is replaced', async () => {
  const one = await scene(1)
  const child = await forkUnheard(one)
  process.kill(child, 'SIGKILL')
  await until(() => stateOf(child) === 'Z')
  const mark = one.service.program.mark()
  resume(one.service.program.pid)
  await ready(one.service, 1, mark)
  expect(one.service.program.output).not.toContain(`born ${child}`)
  await isWhole(one, 1)
})

test('a mold that dies with the request unread is started again', async () => {
  const one = await scene(1)
  await askInVain(one)
  const mark = one.service.program.mark()
  process.kill(one.mold, 'SIGKILL')
  await one.service.program.line(`mold was killed by SIGKILL pid=${one.mold}`, mark)
  await ready(one.service, 1, mark)
  await isWhole(one, 1)
})

test('a mold that is stopped is waited for, which is logged; nothing is lost, and nobody is there twice', async () => {
  const two = await scene(2)
  const { program } = two.service
  const mark = program.mark()
  await freeze(two.mold)
  for (const pid of two.workers()) process.kill(pid, 'SIGKILL')
  const asked = two.service.get()
  await program.line(
    `warning  arbiter[${program.pid}] mold has not answered for 2 s, and is waited for pid=${two.mold}`,
    mark,
  )
  resume(two.mold)
  await ready(two.service, 2, mark)
  expect((await asked).status).toBe(200)
  await isWhole(two, 2)
  expect(isAlive(two.mold)).toBe(true)
  expect(
    program.output
      .slice(mark)
      .match(/worker started worker=1:\d/g)!
      .toSorted(),
  ).toEqual(['worker started worker=1:0', 'worker started worker=1:1'])
})

test('a mold that does not answer is ended long before bootTimeout, which is logged, and another one is started', async () => {
  const two = await scene(2, ['--boot-timeout', '10m'])
  const mark = two.service.program.mark()
  await freeze(two.mold)
  for (const pid of two.workers()) process.kill(pid, 'SIGKILL')
  const asked = two.service.get()
  await two.service.program.line(new RegExp(`error .* mold does not answer: it is ended, .* pid=${two.mold}`), mark)
  await ready(two.service, 2, mark)
  expect((await asked).status).toBe(200)
  expect(isAlive(two.mold)).toBe(false)
  expect(two.service.program.output.match(/mold (does not answer|has not answered)/g)).toHaveLength(2)
  await isWhole(two, 2)
})

test('what was asked of it and given up meanwhile is asked again of the next one', async () => {
  const two = await scene(2, ['--boot-timeout', '1s'])
  const mark = two.service.program.mark()
  await freeze(two.mold)
  for (const pid of two.workers()) process.kill(pid, 'SIGKILL')
  await two.service.program.line('was not started in time', mark)
  await ready(two.service, 2, mark)
  expect(isAlive(two.mold)).toBe(false)
  await isWhole(two, 2)
})

/** poll or ppoll, on x86 and ARM: what a mold sleeps in when it has answered, not when it waits for the process in between. */
const POLLS = /^(7|73|271) /
const polls = (pid: number): boolean => POLLS.test(entryOf(pid, 'syscall'))

test('a mold that dies after it has answered leaves a worker', async () => {
  const one = await scene(1)
  const child = await forkUnheard(one)
  await until(() => polls(one.mold))
  process.kill(one.mold, 'SIGKILL')
  const mark = one.service.program.mark()
  resume(one.service.program.pid)
  await one.service.program.line(new RegExp(`worker ready .*pid=${child}`), mark)
  expect((await one.service.get()).body).toBe(String(child))
})

test('a child whose arbiter dies before it has heard of it runs no app, and goes with it', async () => {
  const one = await scene(1)
  const child = await forkUnheard(one)
  const mark = one.service.program.mark()
  process.kill(one.service.program.pid, 'SIGKILL')
  await one.service.program.ended()
  await until(() => !isAlive(child) && !isAlive(one.mold))
  expect(one.service.program.output.slice(mark)).not.toContain(`born ${child}`)
})

test('what was asked for and is not wanted any more is killed when it comes', async () => {
  const two = await scene(2)
  await askInVain(two)
  two.service.program.signal('SIGTTOU')
  await two.service.program.line('one worker less')
  const mark = two.service.program.mark()
  resume(two.mold)
  // Answered after the other one.
  two.service.program.signal('SIGTTIN')
  await ready(two.service, 1, mark)
  await isWhole(two, 2)
  await two.service.program.line(/worker left .*signal=SIGKILL/, mark)
})

test('a child that dies between its first step and ready is replaced', async () => {
  const one = await scene(1)
  const hang = join(one.service.folder, 'hang')
  writeFileSync(hang, '')
  const mark = one.service.program.mark()
  process.kill(one.workers()[0]!, 'SIGKILL')
  const [, hanging] = await one.service.program.line(/^born (\d+)/, mark)
  rmSync(hang)
  process.kill(Number(hanging), 'SIGKILL')
  await one.service.program.line(new RegExp(`worker left .*pid=${hanging} signal=SIGKILL`), mark)
  await ready(one.service, 1, mark)
  await isWhole(one, 1)
})

test('a fork that fails for want of processes is tried again', async () => {
  // A limit of their number does not hold for root.
  const one = await scene(1, process.getuid?.() === 0 ? ['-u', 'daemon'] : [])
  const { uid, gid } = statSync(`/proc/${one.mold}`)
  const limit = (most: number): void =>
    void execFileSync('prlimit', ['--pid', String(one.mold), `--nproc=${most}:`], { uid, gid })
  const mark = one.service.program.mark()
  limit(1)
  process.kill(one.workers()[0]!, 'SIGKILL')
  await one.service.program.line(/fork: EAGAIN/, mark)
  limit(1000)
  await ready(one.service, 1, mark)
  await isWhole(one, 1)
})

/** Workers write to another pipe than the arbiter: what they say may come after `worker ready`. */
async function wasBornOnce({ service }: Scene, mark: number): Promise<void> {
  await service.program.line(/^born /, mark)
  expect(service.program.output.slice(mark).match(/^born /gm)).toHaveLength(1)
}

/** The newest worker is killed, so that another one is forked. */
function killOne({ service, workers }: Scene): number {
  const mark = service.program.mark()
  process.kill(workers().at(-1)!, 'SIGKILL')
  return mark
}

test('a fork that fails for want of memory is tried again', async () => {
  const one = await scene(1)
  one.fault('enomem')
  const mark = killOne(one)
  await one.service.program.line(/fork: ENOMEM/, mark)
  await ready(one.service, 1, mark)
  await isWhole(one, 1)
})

test.each(['between dies', 'between is killed'])(
  'a mold whose process in between dies, before it forks or afterwards, is started again (%s)',
  async (fault) => {
    const one = await scene(1)
    one.fault(fault)
    const mark = killOne(one)
    // They share their memory, and what it had locked stays locked.
    await one.service.program.line(`mold exited with code 0 pid=${one.mold}`, mark)
    await ready(one.service, 1, mark)
    // The child found its channel closed.
    await until(() => one.service.children().filter(isAlive).length === 2)
    await wasBornOnce(one, mark)
    await isWhole(one, 1)
  },
)

test('a child that dies before the process in between has ended is replaced', async () => {
  const one = await scene(1)
  one.fault('child dies')
  const mark = killOne(one)
  const [, dead] = await one.service.program.line(/worker left .*pid=(\d+) signal=SIGKILL .*/, mark + 1)
  await ready(one.service, 1, mark)
  expect(one.workers()).not.toContain(Number(dead))
  expect(one.service.program.output.slice(mark).match(/worker started/g)).toHaveLength(2)
  await wasBornOnce(one, mark)
  await isWhole(one, 1)
})

test('a child that has died and been reaped before it is answered for is replaced', async () => {
  const one = await scene(1)
  one.fault('child dies, parent stops')
  const mark = killOne(one)
  await until(() => stateOf(one.mold) === 'T')
  // The arbiter has nobody but the mold: the child was adopted dead, and is reaped.
  await until(() => one.workers().length === 0)
  expect(one.service.program.output.slice(mark)).not.toContain('worker started')
  resume(one.mold)
  await ready(one.service, 1, mark)
  expect(one.service.program.output.slice(mark).match(/worker started/g)).toHaveLength(2)
  await isWhole(one, 1)
})

test('a mold that dies between the fork and its answer leaves no child, and is started again', async () => {
  const one = await scene(1)
  one.fault('parent dies')
  const mark = killOne(one)
  await one.service.program.line(`mold was killed by SIGKILL pid=${one.mold}`, mark)
  await ready(one.service, 1, mark)
  // The child found its channel closed.
  await until(() => one.service.children().filter(isAlive).length === 2)
  await wasBornOnce(one, mark)
  await isWhole(one, 1)
})

test('a child that was forked for a request which is abandoned before the answer is killed', async () => {
  const two = await scene(2)
  two.fault('parent stops')
  const mark = killOne(two)
  await until(() => stateOf(two.mold) === 'T')
  await until(() => two.workers().filter(isAlive).length === 2)
  const orphan = two.workers().at(-1)!
  two.service.program.signal('SIGTTOU')
  await two.service.program.line('one worker less')
  resume(two.mold)
  await until(() => !isAlive(orphan))
  await two.service.program.line(new RegExp(`worker left .*pid=${orphan} signal=SIGKILL`), mark)
  two.service.program.signal('SIGTTIN')
  await ready(two.service, 1, mark)
  await isWhole(two, 2)
})

test('a stop does not wait for the answer of a mold that will not give it', async () => {
  const two = await scene(2)
  two.fault('parent stops')
  killOne(two)
  await until(() => stateOf(two.mold) === 'T')
  const all = two.service.children()
  two.service.program.signal('SIGTERM')
  expect((await two.service.program.ended()).code).toBe(0)
  await until(() => !all.some(isAlive))
})

test.each([
  ['mold', 'arbiter'],
  ['arbiter', 'mold'],
])('killed in the order %s, %s, nothing is left', async (...order) => {
  const two = await scene(2)
  const all = two.service.children()
  const pids = { mold: two.mold, arbiter: two.service.program.pid }
  for (const name of order)
    try {
      process.kill(pids[name as keyof typeof pids], 'SIGKILL')
    } catch {} // the mold dies with the arbiter
  await two.service.program.ended()
  await until(() => !all.some(isAlive))
})
