/** The self-pipe, and that libuv does not take it away. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Kernel, Signal, SignalRecord } from '../../lib/kernel/kernel.ts'
import type { Fd, Pid } from '../../lib/units.ts'
import { ended, planOf, shell } from './children.ts'
import { realKernel } from './real.ts'

/** Collects records until there is one of each of these, in whatever order. */
function recordsOf(kernel: Kernel, signals: Fd, ...expected: readonly Signal[]): Promise<SignalRecord[]> {
  const records: SignalRecord[] = []
  return new Promise((resolve) => {
    const watch = kernel.watch(signals, 'readable', () => {
      records.push(...kernel.readSignals())
      if (!expected.every((signal) => records.some((one) => one.signal === signal))) return
      watch.close()
      resolve(records)
    })
  })
}

/** Sends ourselves each of these and waits for its record. */
async function hears(kernel: Kernel, signals: Fd, ...expected: readonly Signal[]): Promise<void> {
  assert.deepEqual(kernel.checkSignals(), [])
  kernel.readSignals()
  for (const signal of expected) {
    process.kill(process.pid, signal)
    const [record] = await recordsOf(kernel, signals, signal)
    assert.equal(record!.signal, signal)
  }
}

const exitOf = async (child: ChildProcess): Promise<unknown> => (await once(child, 'exit'))[0]

export const scenes = {
  'our signals survive child_process.spawn, execFileSync, and process.on and off for the same signals': async () => {
    const kernel = realKernel()
    const signals = kernel.openSignals(['SIGCHLD', 'SIGTERM', 'SIGHUP'])
    await hears(kernel, signals, 'SIGTERM', 'SIGHUP')

    assert.equal(await exitOf(spawn('sh', ['-c', 'exit 4'])), 4)
    await new Promise(setImmediate) // libuv's last child is gone: here it would take SIGCHLD's handler away
    assert.equal((await ended(kernel, kernel.spawn(shell('exit 5')))).code, 5)
    await hears(kernel, signals, 'SIGTERM')

    assert.equal(execFileSync('echo', ['hi'], { encoding: 'utf8' }), 'hi\n')
    assert.equal((await ended(kernel, kernel.spawn(shell('exit 6')))).code, 6)

    const listener = (): void => {}
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGCHLD'] as const) {
      process.on(signal, listener)
      process.off(signal, listener)
    }
    await new Promise(setImmediate)
    await hears(kernel, signals, 'SIGTERM', 'SIGHUP')
    assert.equal((await ended(kernel, kernel.spawn(shell('exit 7')))).code, 7)
  },

  'listeners of Node hear our signals as well': async () => {
    const kernel = realKernel()
    const signals = kernel.openSignals(['SIGUSR2'])
    const heard = once(process, 'SIGUSR2')
    await hears(kernel, signals, 'SIGUSR2')
    assert.equal((await heard)[0], 'SIGUSR2')
  },

  'children of child_process keep their exits while strangers and children of ours are reaped': async () => {
    const kernel = realKernel()
    kernel.becomeSubreaper()
    const signals = kernel.openSignals(['SIGCHLD'])
    const ours = new Set<Pid>()
    const strangers: (number | null)[] = []
    let exits = 0
    const reap = (): void => {
      kernel.readSignals()
      for (const exit of kernel.reap([...ours])) {
        ours.delete(exit.pid)
        exits++
      }
      let { exits: adopted, blocked } = kernel.reapStrangers([...ours])
      for (; ; { exits: adopted, blocked } = kernel.reapStrangers([...ours])) {
        strangers.push(...adopted.map(({ code }) => code))
        if (blocked || adopted.length === 0) break
      }
      if (blocked) setImmediate(reap)
    }
    const watch = kernel.watch(signals, 'readable', reap)
    const theirs = Array.from({ length: 60 }, (_, i) => {
      ours.add(kernel.spawn(shell(`(exit 77) & exit ${i}`)))
      return exitOf(spawn('sh', ['-c', `(exit 77) & exit ${i}`]))
    })
    assert.deepEqual(
      await Promise.all(theirs),
      Array.from({ length: 60 }, (_, i) => i),
    )
    const answer = await new Promise<string>((resolve) => {
      execFile('echo', ['still works'], (_error, stdout) => resolve(stdout))
    })
    assert.equal(answer, 'still works\n')
    while (ours.size > 0 || strangers.length < 120) await new Promise(setImmediate)
    watch.close()
    assert.deepEqual([exits, strangers.length, new Set(strangers)], [60, 120, new Set([77])])
  },

  'a record says who sent the signal': async () => {
    const kernel = realKernel()
    const signals = kernel.openSignals(['SIGUSR2', 'SIGCHLD'])
    const sender = kernel.spawn(shell(`kill -USR2 ${process.pid}`, { uid: 0, gid: 7 }))
    const records = await recordsOf(kernel, signals, 'SIGUSR2', 'SIGCHLD')
    // Two that are pending at once are delivered in the order of their numbers.
    assert.deepEqual(
      new Set(records),
      new Set([
        { signal: 'SIGUSR2', pid: sender, uid: 0, fromKernel: false },
        { signal: 'SIGCHLD', pid: sender, uid: 0, fromKernel: true },
      ]),
    )
    await ended(kernel, sender)
  },

  'a signal that finds the pipe full is heard all the same': () => {
    const kernel = realKernel()
    kernel.openSignals(['SIGUSR2', 'SIGHUP', 'SIGTERM'])
    for (let sent = 0; sent < 5000; sent++) process.kill(process.pid, 'SIGUSR2')
    process.kill(process.pid, 'SIGHUP')
    const records = kernel.readSignals()
    assert(records.length > 1000 && records.length < 5000, `${records.length} records`)
    assert.deepEqual(new Set(records.map(({ signal }) => signal)), new Set(['SIGUSR2', 'SIGHUP']))
    assert.equal(records.at(-1)!.pid, 0)
    assert.deepEqual(kernel.readSignals(), [])
  },

  'a handler that somebody replaced is put back, and which it was is told': async () => {
    const kernel = realKernel()
    const signals = kernel.openSignals(['SIGUSR2', 'SIGHUP', 'SIGTERM'])
    // It is no addon, so dlopen throws, but only after the library's constructor has run.
    assert.throws(() => process.dlopen({ exports: {} } as never, process.env.TAKE_SIGNALS!))
    assert.deepEqual(new Set(kernel.checkSignals()), new Set(['SIGUSR2', 'SIGHUP']))
    await hears(kernel, signals, 'SIGUSR2', 'SIGHUP', 'SIGTERM')
  },

  'what a watch throws is an uncaught exception, and the next turn comes': async () => {
    const kernel = realKernel()
    const signals = kernel.openSignals(['SIGUSR2'])
    let calls = 0
    const watch = kernel.watch(signals, 'readable', () => {
      kernel.readSignals()
      calls++
      throw new Error(`call ${calls}`)
    })
    for (const call of [1, 2]) {
      process.kill(process.pid, 'SIGUSR2')
      const [error] = (await once(process, 'uncaughtException')) as [Error]
      assert.equal(error.message, `call ${call}`)
    }
    watch.close()
  },

  'promises and ticks of a watch run before the loop goes on': async () => {
    const kernel = realKernel()
    const [a, b] = kernel.channelPair()
    kernel.send(a, Buffer.from('x'))
    const order: string[] = []
    await new Promise<void>((resolve) => {
      const watch = kernel.watch(b, 'readable', () => {
        watch.close()
        setImmediate(() => {
          order.push('immediate')
          resolve()
        })
        Promise.resolve().then(() => order.push('promise'))
        process.nextTick(() => order.push('tick'))
      })
    })
    assert.deepEqual(order, ['tick', 'promise', 'immediate'])
  },

  'an open self-pipe does not hold the process': () => {
    realKernel().openSignals(['SIGTERM', 'SIGCHLD'])
  },

  'a child that stops and goes on is no exit': async () => {
    const kernel = realKernel()
    const signals = kernel.openSignals(['SIGCHLD'])
    const child = kernel.spawn(planOf(['/bin/sleep', '1000']))
    for (const signal of ['SIGSTOP', 'SIGCONT'] as const) {
      kernel.kill(child, signal)
      await recordsOf(kernel, signals, 'SIGCHLD')
      assert.deepEqual([kernel.exited([child]), kernel.reap([child])], [[], []])
      assert.deepEqual(kernel.reapStrangers([]), { exits: [], blocked: false })
    }
    kernel.kill(child, 'SIGKILL')
    assert.equal((await ended(kernel, child)).signal, 'SIGKILL')
  },
}
