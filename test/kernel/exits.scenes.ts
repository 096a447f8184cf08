/** Exits that are reaped on sight, before any JavaScript runs. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readSync } from 'node:fs'
import type { Exit, Kernel } from '../../lib/kernel/kernel.ts'
import type { Fd, Pid } from '../../lib/units.ts'
import { planOf, shell, WITH_KERNEL } from './children.ts'
import { ready } from './contract-world.ts'
import { realKernel } from './real.ts'

const SIGCHLD = 1n << 16n

/** Watches signals for the rest of the process; `until` waits until the exits taken so far are as wanted. */
function watched(kernel: Kernel) {
  kernel.openSignals(['SIGCHLD'])
  const exits = new Map<Pid, Exit>()
  let called = (): void => {}
  const watch = kernel.watchSignals(() => {
    kernel.readSignals()
    for (const exit of kernel.takeExits()) {
      assert(!exits.has(exit.pid), `${exit.pid} has exited twice`)
      exits.set(exit.pid, exit)
    }
    called()
  })
  const until = async (wanted: () => boolean): Promise<void> => {
    while (!wanted()) {
      await new Promise<void>((resolve) => {
        called = resolve
      })
    }
  }
  const exitOf = async (child: Pid): Promise<Exit> => {
    await until(() => exits.has(child))
    return exits.get(child)!
  }
  return { exits, until, exitOf, watch }
}

/** Sends SIGCHLD to single threads, which kill(2) cannot: PROCESS THREAD... */
const TGKILL = `
import ctypes, platform, sys
tgkill = {'x86_64': 234, 'aarch64': 131}[platform.machine()]
for thread in sys.argv[2:]: ctypes.CDLL(None).syscall(tgkill, int(sys.argv[1]), int(thread), 17)`

const threads = (): readonly string[] =>
  readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/status`, 'utf8'))

const isEar = (status: string): boolean => /^Name:\s*exits$/m.test(status)

/** Until the thread that hears SIGCHLD has begun and sleeps: it may be later than an exit that a pidfd tells of. */
async function untilItHears(): Promise<void> {
  while (!threads().some((status) => isEar(status) && /^State:\s*S/m.test(status))) await new Promise(setImmediate)
}

const maskOf = (status: string): bigint => BigInt(`0x${/^SigBlk:\s*([0-9a-f]+)$/m.exec(status)![1]}`)

function readSome(from: Fd): string {
  const buffer = Buffer.alloc(64)
  return buffer.toString('latin1', 0, readSync(from, buffer))
}

/** A program that has exited is a zombie from here on, whether or not its exit has been told. */
function isGone(child: Pid): boolean {
  return readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]!.startsWith('Z')
}

export const scenes = {
  'no descriptor is left of children that were reaped on sight, by hand or not born': async () => {
    const kernel = realKernel()
    const { exits, until, exitOf, watch } = watched(kernel)
    const plan = planOf(['/bin/true'])
    const missing = { ...plan, file: '/no/such/program' }
    await exitOf(kernel.spawn(plan))
    await new Promise(setImmediate) // pidfds are closed after the callback
    const before = kernel.listFds()
    const living = Array.from({ length: 20 }, () => kernel.spawn(planOf(['/bin/sleep', '1000'])))
    assert.equal(kernel.listFds().length, before.length + 20 * 2, 'a pidfd each, and the /dev/null of planOf')
    const opened = kernel.listFds().filter((fd) => !before.includes(fd))
    for (const fd of opened) if (!readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').includes('Pid:')) kernel.close(fd)
    for (let i = 0; i < 20; i++) assert.throws(() => kernel.spawn(missing), { code: 'ENOENT' })
    const byHand = kernel.spawn(plan)
    while (!isGone(byHand));
    assert.equal(kernel.reap([byHand])[0]?.code, 0)
    const sessions = Array.from({ length: 5 }, () => kernel.spawn({ ...plan, leader: 'session' }))
    for (const child of living) kernel.kill(child, 'SIGKILL')
    await until(() => living.every((child) => exits.has(child)) && kernel.exited(sessions).length === 5)
    assert.equal(kernel.reap(sessions).length, 5)
    await new Promise(setImmediate)
    assert.deepEqual(kernel.listFds(), before)
    assert(!exits.has(byHand))
    watch.close()
  },

  'children are reaped although the table has no place for a pidfd': async () => {
    const kernel = realKernel()
    const { exitOf, watch } = watched(kernel)
    const nowhere = kernel.openAppend('/dev/null') // above 2, so that the child needs no place to lift it to
    const plan = { ...shell('exit 9'), fds: [0, 1, 2].map((to) => ({ from: nowhere, to })) }
    kernel.setLimit({ ...kernel.getLimit('NOFILE'), soft: 100 })
    const filling: Fd[] = []
    assert.throws(
      () => {
        for (;;) filling.push(kernel.dup(nowhere))
      },
      { code: 'EMFILE' },
    )
    const child = kernel.spawn(plan)
    for (const one of filling) kernel.close(one)
    assert.equal((await exitOf(child)).code, 9)
    watch.close()
  },

  'a child that exited before its exit was listened for is heard': async () => {
    const kernel = realKernel()
    kernel.openSignals(['SIGCHLD'])
    const early = kernel.spawn(shell('exit 3'))
    while (!isGone(early));
    const { exitOf, watch } = watched(kernel)
    const late = kernel.spawn(shell('exit 4'))
    while (!isGone(late));
    assert.deepEqual([(await exitOf(early)).code, (await exitOf(late)).code], [3, 4])
    watch.close()
  },

  'an exit whose SIGCHLD was read after the sweep is told all the same': async () => {
    const kernel = realKernel()
    const signals: string[] = []
    const read = (): void => {
      signals.push(...kernel.readSignals().map(({ signal }) => signal))
    }
    kernel.openSignals(['SIGCHLD', 'SIGUSR2'])
    const child = kernel.spawn(planOf(['/bin/sleep', '1000'])) // without a pidfd: nobody watches yet
    const exit = await new Promise<Exit | undefined>((resolve) => {
      const watch = kernel.watchSignals((reaped) => {
        read()
        if (reaped === 0) {
          kernel.kill(child, 'SIGKILL')
          while (!signals.includes('SIGCHLD')) read()
        } else {
          watch.close()
          resolve(kernel.takeExits()[0])
        }
      })
      process.kill(process.pid, 'SIGUSR2')
    })
    assert.deepEqual([exit?.pid, exit?.signal], [child, 'SIGKILL'])
  },

  'a thousand children that exit at once, each spawned at the end of the one before, are all heard': async () => {
    const kernel = realKernel()
    kernel.openSignals(['SIGCHLD'])
    const plan = planOf(['/bin/true'])
    let left = 1000
    let child = kernel.spawn(plan)
    await new Promise<void>((resolve) => {
      const watch = kernel.watchSignals((reaped) => {
        kernel.readSignals()
        if (reaped === 0) return
        assert.deepEqual(
          kernel.takeExits().map(({ pid }) => pid),
          [child],
        )
        if (--left > 0) {
          child = kernel.spawn(plan)
          return
        }
        watch.close()
        resolve()
      })
    })
  },

  'what the leader of a group leaves behind is killed': async () => {
    const kernel = realKernel()
    kernel.becomeSubreaper()
    const { exitOf, until, watch } = watched(kernel)
    const child = kernel.spawn(shell('sleep 1000 & exit 6', { leader: 'group' }))
    assert.equal((await exitOf(child)).code, 6)
    let orphans: Exit[] = []
    await until(() => {
      orphans = kernel.reapStrangers([]).exits
      return orphans.length > 0
    })
    assert.deepEqual(
      orphans.map(({ signal }) => signal),
      ['SIGKILL'],
    )
    watch.close()
  },

  'the exits of child_process are not taken, and its children have no signal blocked': async () => {
    const kernel = realKernel()
    const { exits, until, watch } = watched(kernel)
    const heard = once(process, 'SIGCHLD')
    assert.equal(maskOf(readFileSync('/proc/thread-self/status', 'utf8')) & SIGCHLD, SIGCHLD)
    const ours = new Set<Pid>()
    const theirs = Array.from({ length: 30 }, (_, i) => {
      ours.add(kernel.spawn(shell(`exit ${i}`)))
      return once(spawn('sh', ['-c', `exit ${i}`]), 'exit')
    })
    assert.deepEqual(
      (await Promise.all(theirs)).map(([code]) => code),
      Array.from({ length: 30 }, (_, i) => i),
    )
    await until(() => exits.size === ours.size)
    await heard
    const status = execFileSync('cat', ['/proc/self/status'], { encoding: 'utf8' })
    assert.equal(maskOf(status), 0n)
    const mask = spawn('cat', ['/proc/self/status'])
    assert.equal(maskOf(String((await once(mask.stdout, 'data'))[0])), 0n)
    watch.close()
  },

  'exits are heard although others had handlers of SIGCHLD and took them away': async () => {
    const kernel = realKernel()
    const { exitOf, watch } = watched(kernel)
    const listener = (): void => {}
    for (const code of [1, 2, 3]) {
      process.on('SIGCHLD', listener)
      execFileSync('true')
      await once(spawn('true'), 'exit')
      process.off('SIGCHLD', listener)
      await new Promise(setImmediate)
      assert.equal((await exitOf(kernel.spawn(shell(`exit ${code}`)))).code, code)
    }
    assert.deepEqual(kernel.checkSignals(), [])
    watch.close()
  },

  'two hundred children killed at once are all reaped': async () => {
    const kernel = realKernel()
    const { exits, until, watch } = watched(kernel)
    const before = kernel.listFds().length
    const plan = planOf(['/bin/sleep', '1000'])
    const living = Array.from({ length: 200 }, () => kernel.spawn(plan))
    for (const child of living) kernel.kill(child, 'SIGKILL')
    await until(() => exits.size === 200)
    assert(living.every((child) => exits.get(child)?.signal === 'SIGKILL'))
    assert.deepEqual(kernel.reapStrangers([]), { exits: [], blocked: false })
    await new Promise(setImmediate)
    assert.equal(kernel.listFds().length, before + 1, 'the /dev/null of planOf')
    watch.close()
  },

  'an orphan that was adopted is reaped on sight, with what is in its group, and leaves no descriptor': async () => {
    const kernel = realKernel()
    kernel.becomeSubreaper()
    const { exits, exitOf, watch } = watched(kernel)
    const before = kernel.listFds().length
    const { read, write } = kernel.pipe()
    // Two leaders, each with one more in its group that outlives it.
    const sets = 'for n in 1 2; do setsid sh -c "sleep 1000 & echo \\$\\$ \\$!; exec sleep 1000" & done'
    const parent = kernel.spawn(shell(sets, { more: [{ from: write, to: 1 }] }))
    kernel.close(write)
    await exitOf(parent)
    let text = ''
    while (text.split('\n').length < 3) {
      await ready(kernel, read)
      text += readSome(read)
    }
    const [leader, member, early, other] = text.trim().split(/\s/).map(Number) as [Pid, Pid, Pid, Pid]
    kernel.adopt(leader)
    kernel.kill(leader, 'SIGKILL')
    assert.equal((await exitOf(leader)).signal, 'SIGKILL')
    while (!isGone(member)) await new Promise(setImmediate)
    assert.deepEqual(
      kernel.reap([member]).map(({ signal }) => signal),
      ['SIGKILL'],
    )
    // One that has gone before.
    kernel.kill(early, 'SIGTERM')
    while (!isGone(early)) await new Promise(setImmediate)
    assert(!exits.has(early))
    kernel.adopt(early)
    assert.equal((await exitOf(early)).signal, 'SIGTERM')
    while (!isGone(other)) await new Promise(setImmediate)
    kernel.reap([other])
    kernel.close(read)
    await new Promise(setImmediate)
    assert.equal(kernel.listFds().length, before + 1, 'the /dev/null of planOf')
    watch.close()
  },

  'a signal that comes when our own end has begun does not disturb it': async () => {
    const code = `${WITH_KERNEL}
      kernel.openSignals(['SIGCHLD', 'SIGUSR2'])
      kernel.watchSignals(() => {}).unref()
      console.log('a stream, for whose end Node turns the loop once more')
      process.on('exit', () => process.kill(process.pid, 'SIGUSR2'))
      process.exitCode = 7`
    for (let i = 0; i < 5; i++) {
      const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
      child.stdout.resume()
      assert.deepEqual(await once(child, 'exit'), [7, null])
    }
  },

  'the thread that hears SIGCHLD takes no other signal, and is one': async () => {
    const kernel = realKernel()
    for (let i = 0; i < 3; i++) watched(kernel).watch.close()
    const { exitOf, watch } = watched(kernel)
    await exitOf(kernel.spawn(shell('exit 0')))
    await untilItHears()
    const ears = threads().filter(isEar)
    assert.equal(ears.length, 1)
    // All but SIGCHLD, what cannot be blocked, and glibc's own 32 and 33.
    const open = SIGCHLD | (1n << 8n) | (1n << 18n) | (1n << 31n) | (1n << 32n)
    assert.equal(maskOf(ears[0]!), (1n << 64n) - 1n - open)
    watch.close()
  },

  'whichever thread has heard SIGCHLD leaves it to that one from then on': async () => {
    const kernel = realKernel()
    const { exitOf, watch } = watched(kernel)
    await exitOf(kernel.spawn(shell('exit 0')))
    await untilItHears()
    const statusOf = (thread: string): string => readFileSync(`/proc/self/task/${thread}/status`, 'utf8')
    const others = readdirSync('/proc/self/task').filter((thread) => !isEar(statusOf(thread)))
    assert(others.length > 1, 'V8 has threads of its own')
    execFileSync('python3', ['-c', TGKILL, String(process.pid), ...others])
    while (others.some((thread) => (maskOf(statusOf(thread)) & SIGCHLD) === 0n)) await new Promise(setImmediate)
    assert.equal((await exitOf(kernel.spawn(shell('exit 9')))).code, 9)
    assert.equal(execFileSync('echo', ['there'], { encoding: 'utf8' }), 'there\n')
    watch.close()
  },
}
