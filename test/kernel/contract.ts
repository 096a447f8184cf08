/**
 * What every kernel promises, whether it is the real one or the fake. Each case gets a world of its own: for the real
 * kernel a process of its own.
 */
import assert from 'node:assert/strict'
import { isKernelError, isSpawnError } from '../../lib/kernel/errors.ts'
import type { Exit, Kernel, ListenerAddress, Signal, SignalRecord, SpawnPlan } from '../../lib/kernel/kernel.ts'
import { type Fd, fd, ms, type Pid, pid } from '../../lib/units.ts'

/** A kernel and what a case needs around it. */
export type World = {
  readonly kernel: Kernel
  /** Plans for programs that exist in this world. `channel` becomes their descriptor 3. */
  readonly plans: {
    exits(code: number): SpawnPlan
    /** Lives until a signal ends it. */
    waits(): SpawnPlan
    /** Says `ready` on its channel once it no longer hears TERM. */
    ignoresTerm(channel: Fd): SpawnPlan
    /** Leaves at once; its own child lives a moment longer and exits with the code. */
    orphans(code: number): SpawnPlan
  }
  /** Sends a signal to this process. */
  raise(signal: Signal): void
  /** A path in a folder of the case's own. */
  path(name: string): string
}

export type Play = (world: World) => void | Promise<void>

const here = { backlog: 5 }
const text = (data: string): Uint8Array => Buffer.from(data)

/** Waits until the descriptor is readable (or writable). */
const ready = (kernel: Kernel, at: Fd, on: 'readable' | 'writable' = 'readable'): Promise<void> =>
  new Promise((resolve) => {
    const watch = kernel.watch(at, on, () => {
      watch.close()
      resolve()
    })
  })

/** Waits until `found` finds something, asked again after each signal. */
async function afterSignals<T>(kernel: Kernel, found: () => T | undefined): Promise<T> {
  const signals = kernel.openSignals(['SIGCHLD'])
  for (let result = found(); ; result = found()) {
    if (result !== undefined) return result
    await ready(kernel, signals)
    kernel.readSignals()
  }
}

const reaped = (kernel: Kernel, child: Pid): Promise<Exit> => afterSignals(kernel, () => kernel.reap([child])[0])

function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return assert.fail('nothing was thrown')
}

function fails(act: () => unknown, code: string): void {
  const error = thrown(act)
  assert(isKernelError(error, code), `expected ${code}, got ${error}`)
  assert(error.errno < 0 && error.syscall !== '' && !error.message.includes('\n'))
}

/** A function that is missing from the addon would otherwise be seen only by its first caller. */
const FUNCTIONS = {
  spawn: true,
  exited: true,
  reap: true,
  reapStrangers: true,
  kill: true,
  killMember: true,
  killGroup: true,
  execve: true,
  exit: true,
  getpid: true,
  getppid: true,
  becomeSubreaper: true,
  setParentDeathSignal: true,
  setProcessName: true,
  getLimit: true,
  setLimit: true,
  openSignals: true,
  readSignals: true,
  checkSignals: true,
  watch: true,
  channelPair: true,
  send: true,
  receive: true,
  receiveNow: true,
  writeNow: true,
  notify: true,
  pipe: true,
  openAppend: true,
  dup: true,
  dup2: true,
  close: true,
  setCloseOnExec: true,
  setNonBlocking: true,
  listFds: true,
  peer: true,
  lock: true,
  listen: true,
  listenerAddress: true,
  accept: true,
  sharedMemory: true,
  map: true,
  watchForStuckStack: true,
  alarm: true,
  ring: true,
  loopHandles: true,
  now: true,
} satisfies Record<keyof Kernel, true>

export const contract = {
  'has every function of its interface'({ kernel }) {
    for (const name of Object.keys(FUNCTIONS)) assert.equal(typeof kernel[name as keyof Kernel], 'function', name)
  },

  async 'a child that has exited stays a zombie until it is reaped, and is reaped once'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    const child = kernel.spawn(plans.exits(3))
    assert(child > 1)
    const [gone] = await afterSignals(kernel, () => {
      const exited = kernel.exited([child])
      return exited.length > 0 ? exited : undefined
    })
    assert.equal(gone, child)
    assert.deepEqual(kernel.exited([child]), [child])
    assert.equal(kernel.kill(child, 'SIGTERM'), true)
    const [exit, ...more] = kernel.reap([child])
    assert.deepEqual(more, [])
    assert.deepEqual([exit?.pid, exit?.code, exit?.signal, exit?.core], [child, 3, null, false])
    assert(exit!.usage.userMs >= 0 && exit!.usage.systemMs >= 0 && exit!.usage.maxRssKib > 0)
    assert.deepEqual([kernel.reap([child]), kernel.exited([child])], [[], []])
    assert.equal(kernel.kill(child, 'SIGKILL'), false)
  },

  async 'a living child is not reaped, and the signal that ends it is named'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    const child = kernel.spawn(plans.waits())
    assert.deepEqual([kernel.exited([child]), kernel.reap([child])], [[], []])
    assert.equal(kernel.kill(child, 'SIGTERM'), true)
    const exit = await reaped(kernel, child)
    assert.deepEqual([exit.code, exit.signal], [null, 'SIGTERM'])
  },

  async 'a child that ignores TERM survives it, and not KILL'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    const [ours, theirs] = kernel.channelPair()
    const child = kernel.spawn(plans.ignoresTerm(theirs))
    kernel.close(theirs)
    await ready(kernel, ours)
    const said = kernel.receive(ours)
    assert(said !== null && said !== 'end' && said.data.toString().trim() === 'ready')
    kernel.kill(child, 'SIGTERM')
    kernel.kill(child, 'SIGKILL')
    assert.equal((await reaped(kernel, child)).signal, 'SIGKILL')
    await ready(kernel, ours)
    assert.equal(kernel.receive(ours), 'end')
  },

  'a pid that is no child of ours is neither reaped nor signalled'({ kernel }) {
    const parent = kernel.getppid()
    if (parent > 1) assert.equal(kernel.kill(parent, 'SIGTERM'), false)
    assert.deepEqual([kernel.reap([parent]), kernel.exited([parent])], [[], []])
    for (const special of [1, 0, -1].map(pid)) fails(() => kernel.kill(special, 'SIGTERM'), 'EINVAL')
    for (const special of [1, 0, -1].map(pid)) fails(() => kernel.killGroup(special, 'SIGTERM'), 'EINVAL')
  },

  'a spawn that fails says at which stage, why and of which path, and leaves no child'({ kernel, plans, path }) {
    const plan = plans.exits(0)
    const expected: [SpawnPlan, string, string][] = [
      [{ ...plan, file: path('missing') }, 'exec', 'ENOENT'],
      [{ ...plan, file: 'relative' }, 'exec', 'EINVAL'],
      [{ ...plan, fds: plan.fds.filter(({ to }) => to !== 1) }, 'fds', 'EINVAL'],
      [{ ...plan, fds: [...plan.fds, { from: fd(1), to: 2 }] }, 'fds', 'EINVAL'],
      [{ ...plan, fds: [...plan.fds, { from: fd(900), to: 3 }] }, 'fds', 'EBADF'],
    ]
    for (const [bad, stage, code] of expected) {
      const error = thrown(() => kernel.spawn(bad))
      assert(isSpawnError(error))
      assert.deepEqual([error.stage, error.code, error.path], [stage, code, bad.file])
    }
    assert.deepEqual(kernel.reapStrangers([]), { exits: [], blocked: false })
  },

  async 'adopted orphans are strangers, and known children are not'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    kernel.becomeSubreaper()
    const parent = kernel.spawn(plans.orphans(7))
    await afterSignals(kernel, () => kernel.exited([parent])[0])
    const held = kernel.reapStrangers([parent])
    assert.deepEqual(held, { exits: [], blocked: true })
    assert.equal(kernel.reap([parent])[0]?.code, 0)
    const stranger = await afterSignals(kernel, () => kernel.reapStrangers([]).exits[0])
    assert.equal(stranger.code, 7)
    assert.notEqual(stranger.pid, parent)
  },

  async 'a group is signalled as long as it has a member'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    const child = kernel.spawn({ ...plans.waits(), leader: 'group' })
    assert.equal(kernel.killGroup(child, 'SIGKILL'), true)
    assert.equal((await reaped(kernel, child)).signal, 'SIGKILL')
    assert.equal(kernel.killGroup(child, 'SIGKILL'), false)
  },

  async 'a member of a session is signalled by its session and not by another'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    const child = kernel.spawn({ ...plans.waits(), leader: 'session' })
    assert.equal(kernel.killMember(pid(child + 1_000_000), child, 'SIGKILL'), false)
    assert.equal(kernel.killMember(child, child, 'SIGKILL'), true)
    assert.equal((await reaped(kernel, child)).signal, 'SIGKILL')
    assert.equal(kernel.killMember(child, child, 'SIGKILL'), false)
  },

  async 'signals are read in the order in which they came, with their sender'({ kernel, raise }) {
    const signals = kernel.openSignals(['SIGHUP', 'SIGUSR2'])
    assert.equal(kernel.openSignals(['SIGWINCH']), signals)
    assert.deepEqual(kernel.readSignals(), [])
    raise('SIGUSR2')
    raise('SIGHUP')
    raise('SIGWINCH')
    await ready(kernel, signals)
    const records: SignalRecord[] = kernel.readSignals()
    assert.deepEqual(
      records.map(({ signal }) => signal),
      ['SIGUSR2', 'SIGHUP', 'SIGWINCH'],
    )
    for (const record of records) assert.deepEqual([record.fromKernel, record.pid], [false, kernel.getpid()])
    assert.deepEqual([kernel.readSignals(), kernel.checkSignals()], [[], []])
    fails(() => kernel.openSignals(['SIGKILL']), 'EINVAL')
  },

  async 'a channel keeps datagrams apart and hands descriptors over'({ kernel }) {
    const [a, b] = kernel.channelPair()
    const [passed, other] = kernel.channelPair()
    assert.equal(kernel.receive(b), null)
    assert.equal(kernel.send(a, text('one')), true)
    assert.equal(kernel.send(a, text('two'), [passed, other]), true)
    kernel.close(passed)
    kernel.close(other)
    const one = kernel.receive(b)
    const two = kernel.receive(b)
    assert(one !== null && one !== 'end' && two !== null && two !== 'end')
    assert.deepEqual([one.data.toString(), one.fds], ['one', []])
    assert.deepEqual([two.data.toString(), two.fds.length], ['two', 2])
    kernel.send(two.fds[0]!, text('through'))
    const through = kernel.receive(two.fds[1]!)
    assert(through !== null && through !== 'end' && through.data.toString() === 'through')
    fails(() => kernel.send(a, text('')), 'EINVAL')
    fails(() => kernel.send(a, text('x'), [fd(900)]), 'EBADF')
  },

  'a channel whose peer is gone gives what was sent before, then the end'({ kernel }) {
    const [a, b] = kernel.channelPair()
    kernel.send(a, text('last words'))
    kernel.close(a)
    const last = kernel.receive(b)
    assert(last !== null && last !== 'end' && last.data.toString() === 'last words')
    assert.deepEqual([kernel.receive(b), kernel.receive(b)], ['end', 'end'])
    fails(() => kernel.send(b, text('x')), 'EPIPE')
  },

  async 'a full channel says so, and is writable again when its peer has read'({ kernel }) {
    const [a, b] = kernel.channelPair()
    let sent = 0
    while (kernel.send(a, Buffer.alloc(4096, 1))) sent++
    assert(sent > 4 && sent < 100_000)
    assert.equal(kernel.send(a, Buffer.alloc(4096, 1)), false)
    for (let i = 0; i < sent; i++) assert(kernel.receive(b) !== null)
    await ready(kernel, a, 'writable')
    assert.equal(kernel.send(a, text('again')), true)
  },

  'receiveNow waits for no longer than it is told'({ kernel }) {
    const [a, b] = kernel.channelPair()
    const begin = kernel.now()
    assert.equal(kernel.receiveNow(b, ms(20)), null)
    assert(kernel.now() - begin >= 20)
    kernel.send(a, text('x'))
    assert.notEqual(kernel.receiveNow(b, ms(10_000)), null)
    kernel.close(a)
    assert.equal(kernel.receiveNow(b, ms(10_000)), 'end')
  },

  async 'a watch calls back for as long as there is something, and not after it is closed'({ kernel }) {
    const [a, b] = kernel.channelPair()
    kernel.send(a, text('unread'))
    let calls = 0
    let ticks = 0
    await new Promise<void>((resolve) => {
      const watch = kernel.watch(b, 'readable', () => {
        assert.equal(ticks, calls, 'what the last callback put off has run')
        calls++
        process.nextTick(() => ticks++)
        if (calls < 3) return
        watch.close()
        watch.close()
        setImmediate(() => setImmediate(resolve))
      })
      fails(() => kernel.watch(b, 'readable', () => {}), 'EEXIST')
    })
    assert.equal(calls, 3)
    await ready(kernel, b)
  },

  'a watch that is not referenced does not hold the process'({ kernel }) {
    const [, b] = kernel.channelPair()
    const watch = kernel.watch(b, 'readable', () => {})
    const referenced = () => kernel.loopHandles().filter((one) => one.type === 'poll' && one.referenced).length
    assert.equal(referenced(), 1)
    watch.unref()
    assert.equal(referenced(), 0)
    watch.ref()
    assert.equal(referenced(), 1)
    watch.close()
  },

  async 'the reading end of a pipe is readable when nobody can write any more'({ kernel }) {
    const { read, write } = kernel.pipe()
    const copy = kernel.dup(write)
    kernel.close(write)
    kernel.close(copy)
    await ready(kernel, read)
  },

  'descriptors are copied, replaced, listed and closed'({ kernel, path }) {
    const before = kernel.listFds()
    const log = kernel.openAppend(path('log'))
    const copy = kernel.dup(log)
    assert(copy > 2 && copy !== log)
    const [a, b] = kernel.channelPair()
    kernel.dup2(log, b)
    assert.equal(kernel.receive(a), 'end')
    assert.deepEqual(new Set(kernel.listFds()), new Set([...before, log, copy, a, b]))
    for (const one of [log, copy, a, b]) kernel.close(one)
    assert.deepEqual(kernel.listFds(), before)
    fails(() => kernel.close(log), 'EBADF')
    fails(() => kernel.dup(log), 'EBADF')
    fails(() => kernel.dup2(log, 5), 'EBADF')
    fails(() => kernel.setCloseOnExec(log, true), 'EBADF')
    fails(() => kernel.setNonBlocking(log, true), 'EBADF')
    fails(() => kernel.openAppend(path('no/such/folder')), 'ENOENT')
    kernel.setCloseOnExec(kernel.openAppend(path('log')), false)
    kernel.setNonBlocking(kernel.openAppend(path('log')), false)
  },

  'a lock on a file of our own is ours'({ kernel, path }) {
    const file = kernel.openAppend(path('pidfile'))
    assert.equal(kernel.lock(file), 0)
    assert.equal(kernel.lock(file), 0)
  },

  'a listener says where it is bound, and its address cannot be taken twice'({ kernel, path }) {
    const wanted: ListenerAddress[] = [
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
      { kind: 'unix', path: path('socket') },
    ]
    for (const address of wanted) {
      const listener = kernel.listen(address, here)
      const bound = kernel.listenerAddress(listener)
      if (bound.kind === 'tcp') assert(bound.host === '127.0.0.1' && bound.port > 0)
      else assert.deepEqual(bound, address)
      assert.equal(kernel.accept(listener), null)
      fails(() => kernel.listen(bound, here), 'EADDRINUSE')
      kernel.close(listener)
      kernel.close(kernel.listen(bound, here))
    }
    fails(() => kernel.listen({ kind: 'tcp', host: 'localhost', port: 0 }, here), 'EINVAL')
    fails(() => kernel.listenerAddress(kernel.channelPair()[0]), 'EINVAL')
    fails(() => kernel.listenerAddress(kernel.openAppend(path('file'))), 'ENOTSOCK')
  },

  'shared memory is one memory wherever it is mapped'({ kernel }) {
    const memory = kernel.sharedMemory('contract', 4096)
    const [first, second] = [new Float64Array(kernel.map(memory)), new Float64Array(kernel.map(memory))]
    assert.equal(first.byteLength, 4096)
    assert(first.every((value) => value === 0))
    first[7] = 0.5
    assert.equal(second[7], 0.5)
    fails(() => kernel.sharedMemory('contract', 0), 'EINVAL')
    fails(() => kernel.map(kernel.channelPair()[0]), 'EINVAL')
  },

  async 'an alarm that was rung can be read'({ kernel }) {
    const alarm = kernel.alarm()
    kernel.ring(alarm)
    await ready(kernel, alarm)
    kernel.close(alarm)
    fails(() => kernel.ring(alarm), 'EBADF')
  },

  'limits are read and set'({ kernel }) {
    const { hard } = kernel.getLimit('NOFILE')
    kernel.setLimit({ resource: 'NOFILE', soft: 200, hard })
    assert.deepEqual(kernel.getLimit('NOFILE'), { resource: 'NOFILE', soft: 200, hard })
    fails(() => kernel.getLimit('NOTHING'), 'EINVAL')
  },

  'a program that cannot be run does not replace us'({ kernel, path }) {
    fails(() => kernel.execve(path('missing'), ['x'], {}, [fd(0)]), 'ENOENT')
  },
} satisfies Readonly<Record<string, Play>>
