/** Channels, watches, listeners and memory. */
import assert from 'node:assert/strict'
import type { ListenerAddress } from '../../lib/kernel/kernel.ts'
import { fd, ms } from '../../lib/units.ts'
import { fails, here, type Play, ready, text } from './contract-world.ts'

export const descriptors = {
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

  'a peer that is gone is heard to its last word, though it left ours unread'({ kernel }) {
    const [a, b] = kernel.channelPair()
    kernel.send(b, text('unread'))
    for (const word of ['last', 'words']) kernel.send(a, text(word))
    kernel.close(a)
    const words = [kernel.receive(b), kernel.receiveNow(b, ms(10_000))]
    assert.deepEqual(
      words.map((one) => one !== null && one !== 'end' && one.data.toString()),
      ['last', 'words'],
    )
    assert.deepEqual([kernel.receive(b), kernel.receiveNow(b, ms(10_000))], ['end', 'end'])
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
} satisfies Readonly<Record<string, Play>>
