/** Children, signals and limits. */
import assert from 'node:assert/strict'
import type { Exit, Kernel, SignalRecord, SpawnError, SpawnPlan } from '../../lib/kernel/kernel.ts'
import { fd, pid } from '../../lib/units.ts'
import { afterSignals, fails, type Play, ready, reaped, thrown } from './contract-world.ts'

/** A function that is missing from the addon would otherwise be seen only by its first caller. */
const FUNCTIONS = {
  spawn: true,
  exited: true,
  reap: true,
  reapStrangers: true,
  takeExits: true,
  adopt: true,
  isChild: true,
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
  withFileRights: true,
  getLimit: true,
  setLimit: true,
  openSignals: true,
  watchSignals: true,
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
  otherEnd: true,
  lock: true,
  listen: true,
  listenerAddress: true,
  accept: true,
  sharedMemory: true,
  map: true,
  watchForStuckStack: true,
  alarm: true,
  ring: true,
  markLife: true,
  unmarkLife: true,
  watchLife: true,
  forgetLife: true,
  takeDying: true,
  setWill: true,
  revokeWills: true,
  loopHandles: true,
  now: true,
} satisfies Record<keyof Kernel, true>

export const processes = {
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
    assert.equal(kernel.isChild(child), true)
    assert.equal(kernel.kill(child, 'SIGTERM'), true)
    const [exit, ...more] = kernel.reap([child])
    assert.deepEqual(more, [])
    assert.deepEqual([exit?.pid, exit?.code, exit?.signal, exit?.core], [child, 3, null, false])
    assert(exit!.usage.userMs >= 0 && exit!.usage.systemMs >= 0 && exit!.usage.maxRssKib > 0)
    assert.deepEqual([kernel.reap([child]), kernel.exited([child])], [[], []])
    assert.equal(kernel.kill(child, 'SIGKILL'), false)
    assert.equal(kernel.isChild(child), false)
  },

  async 'a living child is not reaped, and the signal that ends it is named'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    const child = kernel.spawn(plans.waits())
    assert.deepEqual([kernel.exited([child]), kernel.reap([child])], [[], []])
    assert.equal(kernel.isChild(child), true)
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
    for (const other of [parent, 1, 0, -1, kernel.getpid()].map(pid)) assert.equal(kernel.isChild(other), false)
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
      const error = thrown(() => kernel.spawn(bad)) as SpawnError
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

  async 'children are reaped on sight where signals are watched, but leaders of sessions are left'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    const exits: Exit[] = []
    let called = (): void => {}
    const watch = kernel.watchSignals((reaped) => {
      kernel.readSignals()
      const taken = kernel.takeExits()
      assert.equal(reaped, taken.length)
      exits.push(...taken)
      called()
    })
    const plain = kernel.spawn(plans.exits(3))
    const group = kernel.spawn({ ...plans.exits(4), leader: 'group' })
    const session = kernel.spawn({ ...plans.exits(5), leader: 'session' })
    while (exits.length < 2 || kernel.exited([session]).length === 0)
      await new Promise<void>((resolve) => {
        called = resolve
      })
    watch.close()
    assert.deepEqual(
      exits.map(({ pid, code }) => [pid, code]).sort(),
      [
        [plain, 3],
        [group, 4],
      ].sort(),
    )
    assert.deepEqual([kernel.takeExits(), kernel.exited([plain, group]), kernel.reap([plain, group])], [[], [], []])
    assert.equal(kernel.reap([session])[0]?.code, 5)
  },

  async 'a child that is gone when it is adopted is not reaped again'({ kernel, plans }) {
    kernel.openSignals(['SIGCHLD'])
    kernel.becomeSubreaper()
    const parent = kernel.spawn(plans.orphans(7))
    await afterSignals(kernel, () => kernel.exited([parent])[0])
    kernel.reap([parent])
    const { pid: orphan } = await afterSignals(kernel, () => kernel.reapStrangers([]).exits[0])
    const watch = kernel.watchSignals(() => {})
    kernel.adopt(orphan)
    assert.deepEqual([kernel.takeExits(), kernel.exited([orphan])], [[], []])
    watch.close()
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

  'limits are read and set'({ kernel }) {
    const { hard } = kernel.getLimit('NOFILE')
    kernel.setLimit({ resource: 'NOFILE', soft: 200, hard })
    assert.deepEqual(kernel.getLimit('NOFILE'), { resource: 'NOFILE', soft: 200, hard })
    fails(() => kernel.getLimit('NOTHING'), 'EINVAL')
  },

  'an action has the rights of another user, and its outcome is ours'({ kernel }) {
    const own = { uid: process.getuid!(), gid: process.getgid!(), groups: process.getgroups!() }
    assert.equal(
      kernel.withFileRights(own, () => 'done'),
      'done',
    )
    const action = (): never => {
      throw new Error('of the action')
    }
    assert.throws(() => kernel.withFileRights(own, action), /of the action/)
  },

  'a program that cannot be run does not replace us'({ kernel, path }) {
    fails(() => kernel.execve(path('missing'), ['x'], {}, [fd(0)]), 'ENOENT')
  },
} satisfies Readonly<Record<string, Play>>
