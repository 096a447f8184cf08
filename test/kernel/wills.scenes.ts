/** What is said over a channel when a process is dying. */
import assert from 'node:assert/strict'
import type { Kernel } from '../../lib/kernel/kernel.ts'
import { type Fd, ms, type Pid } from '../../lib/units.ts'
import { PLACE, startMarked } from './marked.ts'
import { realKernel } from './real.ts'

const WAIT = ms(30_000)

/** A watched child, and a channel: what comes out of `theirs` was said over `ours`. */
async function begin() {
  const kernel = realKernel()
  kernel.openSignals(['SIGCHLD'])
  const watch = kernel.watchSignals(() => kernel.readSignals())
  const { pid: child, map } = await watched(kernel)
  const [ours, theirs] = kernel.channelPair()
  return { kernel, child, map, ours, theirs, end: () => watch.close() }
}

async function watched(kernel: Kernel): Promise<{ readonly pid: Pid; readonly map: ArrayBuffer }> {
  const child = await startMarked(kernel)
  kernel.watchLife(child.map, PLACE, child.pid)
  return child
}

const will = (text: string): Buffer => Buffer.from(text)

/** Blocks this thread: nothing here hears of the death before. */
function said(kernel: Kernel, channel: Fd): string {
  const datagram = kernel.receiveNow(channel, WAIT)
  assert(datagram !== null && datagram !== 'end')
  for (const fd of datagram.fds) kernel.close(fd)
  return `${Buffer.from(datagram.data)}${datagram.fds.length > 0 ? ` +${datagram.fds.length}` : ''}`
}

/** Both its death and its exit have been heard of. */
async function gone(kernel: Kernel, child: Pid): Promise<void> {
  const heard = { dying: false, exited: false }
  while (!heard.dying || !heard.exited) {
    heard.dying ||= kernel.takeDying().includes(child)
    heard.exited ||= kernel.takeExits().some(({ pid }) => pid === child)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export const scenes = {
  'it is said while nothing of ours runs, with its descriptors, and whose it was is known': async () => {
    const { kernel, child, ours, theirs, end } = await begin()
    const [open, closed] = kernel.channelPair()
    kernel.setWill(child, ours, will('go'), [open, closed])
    kernel.kill(child, 'SIGKILL')
    assert.equal(said(kernel, theirs), 'go +2')
    assert.equal(kernel.revokeWills(ours), child)
    assert.equal(kernel.revokeWills(ours), null)
    await gone(kernel, child)
    end()
  },

  'a channel says the will of the first who dies, and takes no other one until that is known': async () => {
    const { kernel, child, ours, theirs, end } = await begin()
    const { pid: other } = await watched(kernel)
    kernel.setWill(child, ours, will('first'), [])
    kernel.setWill(other, ours, will('second'), [])
    kernel.kill(other, 'SIGKILL')
    assert.equal(said(kernel, theirs), 'second')
    await gone(kernel, other)
    kernel.setWill(child, ours, will('third'), [])
    kernel.kill(child, 'SIGKILL')
    await gone(kernel, child)
    assert.equal(kernel.receive(theirs), null)
    assert.equal(kernel.revokeWills(ours), other)
    end()
  },

  'the last will counts': async () => {
    const { kernel, child, ours, theirs, end } = await begin()
    kernel.setWill(child, ours, will('old'), [])
    kernel.setWill(child, ours, will('new'), [])
    kernel.kill(child, 'SIGKILL')
    assert.equal(said(kernel, theirs), 'new')
    await gone(kernel, child)
    assert.equal(kernel.receive(theirs), null)
    end()
  },

  'what was revoked is not said, nor what names a descriptor that was closed': async () => {
    const { kernel, child, ours, theirs, end } = await begin()
    const others = kernel.channelPair()
    const [carried] = kernel.channelPair()
    kernel.setWill(child, others[0], will('go'), [carried])
    kernel.close(carried)
    // The number is another's now.
    assert.equal(kernel.channelPair()[0], carried)
    kernel.setWill(child, ours, will('go'), [])
    assert.equal(kernel.revokeWills(ours), null)
    kernel.kill(child, 'SIGKILL')
    await gone(kernel, child)
    assert.equal(kernel.receive(theirs), null)
    assert.equal(kernel.receive(others[1]), null)
    end()
  },

  'of one that was forgotten nothing is said, though its number is used again': async () => {
    const { kernel, child, map, ours, theirs, end } = await begin()
    kernel.setWill(child, ours, will('go'), [])
    kernel.forgetLife(child)
    kernel.watchLife(map, PLACE, child)
    kernel.kill(child, 'SIGKILL')
    await gone(kernel, child)
    assert.equal(kernel.revokeWills(ours), null)
    assert.equal(kernel.receive(theirs), null)
    end()
  },

  'where nobody is there to hear it, it is not taken for said': async () => {
    const { kernel, child, ours, theirs, end } = await begin()
    kernel.close(theirs)
    kernel.setWill(child, ours, will('go'), [])
    kernel.kill(child, 'SIGKILL')
    await gone(kernel, child)
    assert.equal(kernel.revokeWills(ours), null)
    end()
  },

  'an empty one is refused': async () => {
    const { kernel, child, ours, end } = await begin()
    assert.throws(() => kernel.setWill(child, ours, will(''), []), { code: 'EINVAL', syscall: 'sendmsg' })
    kernel.kill(child, 'SIGKILL')
    await gone(kernel, child)
    end()
  },
}
