/** A mold forked by its native half: who gets what, and when it is said. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FromMold } from '../../lib/channel/mold-messages.ts'
import type { Exit, SpawnPlan } from '../../lib/kernel/kernel.ts'
import { type Fd, ms, type Pid, pid } from '../../lib/units.ts'
import { ended, output, planOf, WITH_KERNEL } from './children.ts'
import { realKernel, realMoldKernel } from './real.ts'

const MOLD = ['--single-threaded', '--v8-pool-size=1', '--expose-gc', join(__dirname, 'fixtures', 'mold.js')]
const LONG = ms(15_000)

type Answer = Extract<FromMold, { kind: 'forked' | 'forkFailed' }>

/** Starts a mold and adopts what it forks. */
function startMold(extra: Partial<SpawnPlan> = {}) {
  const kernel = realKernel()
  kernel.becomeSubreaper()
  const [ours, theirs] = kernel.channelPair()
  const plan = planOf([process.execPath, ...MOLD], { more: [{ from: theirs, to: 3 }], ...extra })
  const mold = kernel.spawn(plan)
  kernel.close(theirs)
  let asked = 0
  const ask = (play: string, fds: readonly Fd[] = []): Answer => {
    const request = ++asked
    assert.equal(kernel.send(ours, Buffer.from(JSON.stringify({ kind: 'fork', request, play })), fds), true)
    const said = kernel.receiveNow(ours, LONG)
    assert(said !== null && said !== 'end', `the mold says ${said}`)
    const answer = JSON.parse(said.data.toString())
    assert.equal(answer.request, request)
    return answer
  }
  const fork = (play: string, fds: readonly Fd[] = []): Pid => {
    const answer = ask(play, fds)
    assert(answer.kind === 'forked', JSON.stringify(answer))
    return pid(answer.pid)
  }
  const end = async (): Promise<Exit> => {
    kernel.close(ours)
    return ended(kernel, mold)
  }
  return { kernel, mold, channel: ours, ask, fork, end }
}

export const scenes = {
  'two hundred children have been adopted when they are told, and leave nothing': async () => {
    const { kernel, fork, end } = startMold()
    for (let i = 0; i < 200; i++) {
      const child = fork('leaves')
      assert.equal(kernel.kill(child, 'SIGCONT'), true, 'it is our child')
      assert.equal((await ended(kernel, child)).code, 0)
    }
    assert.equal((await end()).code, 0)
    assert.deepEqual(kernel.reapStrangers([]), { exits: [], blocked: false })
  },

  'a child does all that Node does': async () => {
    const { kernel, fork, end } = startMold()
    for (let i = 0; i < 5; i++) assert.equal((await ended(kernel, fork('works'))).code, 9)
    await end()
  },

  'a child gets its order and its descriptors, and its signals are unblocked': async () => {
    const { kernel, fork, end } = startMold()
    const [ours, theirs] = kernel.channelPair()
    const child = fork('tells', [theirs, theirs])
    kernel.close(theirs)
    kernel.send(ours, Buffer.from('go'))
    const said = kernel.receiveNow(ours, LONG)
    assert(said !== null && said !== 'end')
    const facts = JSON.parse(said.data.toString())
    assert.deepEqual([facts.data.play, facts.pid, facts.parent], ['tells', child, process.pid])
    for (const set of ['SigBlk', 'SigPnd']) assert.match(facts.status, new RegExp(`${set}:\\s*0+\n`))
    await ended(kernel, child)
    assert.equal(kernel.receiveNow(ours, LONG), 'end', 'the mold kept no copy of the descriptors')
    await end()
  },

  'a child does not hold the mold’s channel, and outlives the mold': async () => {
    const { kernel, mold, channel, fork } = startMold()
    const [ours, theirs] = kernel.channelPair()
    const child = fork('hears', [theirs])
    kernel.close(theirs)
    assert.notEqual(kernel.receiveNow(ours, LONG), 'end')
    kernel.kill(mold, 'SIGKILL')
    assert.equal((await ended(kernel, mold)).signal, 'SIGKILL')
    assert.equal(kernel.receiveNow(channel, LONG), 'end')
    kernel.kill(child, 'SIGUSR2')
    assert.equal((await ended(kernel, child)).code, 12)
  },

  'signals and watches work in a child': async () => {
    const { kernel, fork, end } = startMold()
    const [ours, theirs] = kernel.channelPair()
    const child = fork('hears', [theirs])
    kernel.close(theirs)
    assert.notEqual(kernel.receiveNow(ours, LONG), 'end')
    kernel.kill(child, 'SIGUSR2')
    assert.equal((await ended(kernel, child)).code, 12)
    await end()
  },

  'a mold that may not fork says why, and forks when it may': async () => {
    const user = { uid: 65432, gid: 65432, groups: [] }
    const { kernel, mold, ask, fork, end } = startMold(user)
    assert.equal((await ended(kernel, fork('leaves'))).code, 0)
    await output(kernel, ['/usr/bin/prlimit', `--pid=${mold}`, '--nproc=0:'], user)
    const answer = ask('leaves')
    assert(answer.kind === 'forkFailed' && answer.text.includes('EAGAIN'))
    await output(kernel, ['/usr/bin/prlimit', `--pid=${mold}`, '--nproc=1000:'], user)
    assert.equal((await ended(kernel, fork('leaves'))).code, 0)
    await end()
  },

  'a mold without room for the descriptors of an order says so and goes on': async () => {
    const { kernel, mold, ask, fork, end } = startMold()
    assert.equal((await ended(kernel, fork('leaves'))).code, 0)
    await output(kernel, ['/usr/bin/prlimit', `--pid=${mold}`, '--nofile=4:'])
    const [some] = kernel.channelPair()
    const answer = ask('leaves', [some, some, some])
    assert(answer.kind === 'forkFailed' && answer.text.includes('EMFILE'))
    await output(kernel, ['/usr/bin/prlimit', `--pid=${mold}`, '--nofile=1024:'])
    assert.equal((await ended(kernel, fork('leaves', [some, some, some]))).code, 0)
    await end()
  },

  'the threads are told': async () => {
    const mold = realMoldKernel()
    assert.equal(mold.threads()[0]!.id, process.pid)
    await readFile(__filename)
    const before = mold.threads().length
    assert(before >= 5, `${before} threads: the main one and four of the pool at least`)
  },

  'pages that another process has come to need are mapped beforehand, and nothing changes by it': async () => {
    const mold = realMoldKernel()
    const shared = Buffer.alloc(64 * 4096, 7)
    assert(mold.touchAs(pid(process.pid)) > 0, 'as itself: what it has written to')
    assert(shared.every((byte) => byte === 7))
    // Linux gives no higher number (proc_sys_kernel(5), pid_max).
    assert.equal(mold.touchAs(pid(2 ** 22 + 1)), 0)
  },

  'a process becomes the leader of a session or a group': async () => {
    const kernel = realKernel()
    for (const [of, column] of [
      ['session', 3],
      ['group', 2],
    ] as const) {
      const code = `${WITH_KERNEL} const { loadMoldKernel } = require(${JSON.stringify(join(__dirname, '../../dist/kernel/addon.js'))})
        loadMoldKernel().becomeLeader('${of}'); console.log(process.pid, require('node:fs').readFileSync('/proc/self/stat', 'utf8'))`
      const [own, stat] = (await output(kernel, [process.execPath, '-e', code])).split(/ (.*)/s) as [string, string]
      assert.equal(stat.split(') ')[1]!.split(' ')[column], own)
    }
  },
}
