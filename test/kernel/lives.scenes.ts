/** Deaths that are told before the kernel has taken the memory back. */
import assert from 'node:assert/strict'
import type { Kernel } from '../../lib/kernel/kernel.ts'
import type { Pid } from '../../lib/units.ts'
import { BYTES, PLACE, startMarked } from './marked.ts'
import { realKernel } from './real.ts'

/** What is told of children, in its order. */
type Told = { readonly kind: 'dying' | 'exited'; readonly pid: Pid }

function hearing(kernel: Kernel) {
  const told: Told[] = []
  const looking = new Set<() => void>()
  kernel.openSignals(['SIGCHLD'])
  const watch = kernel.watchSignals(() => {
    kernel.readSignals()
    for (const pid of kernel.takeDying()) told.push({ kind: 'dying', pid })
    for (const { pid } of kernel.takeExits()) told.push({ kind: 'exited', pid })
    for (const look of looking) look()
  })
  const until = (kind: Told['kind'], pid: Pid) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!told.some((one) => one.kind === kind && one.pid === pid)) return
        looking.delete(look)
        resolve()
      }
      looking.add(look)
      look()
    })
  return { told, until, close: () => watch.close() }
}

export const scenes = {
  'one that is killed is told of once, and so is its exit': async () => {
    const kernel = realKernel()
    const { told, until, close } = hearing(kernel)
    const { pid, map } = await startMarked(kernel)
    kernel.watchLife(map, PLACE, pid)
    kernel.watchLife(map, PLACE, pid)
    kernel.kill(pid, 'SIGKILL')
    await Promise.all([until('dying', pid), until('exited', pid)])
    assert.deepEqual(told.map(({ kind }) => kind).toSorted(), ['dying', 'exited'])
    close()
  },

  'one that ends by itself is told of, too': async () => {
    const kernel = realKernel()
    const { until, close } = hearing(kernel)
    const { pid, map } = await startMarked(kernel, "process.on('SIGTERM', () => process.exit(3))")
    kernel.watchLife(map, PLACE, pid)
    kernel.kill(pid, 'SIGTERM')
    await Promise.all([until('dying', pid), until('exited', pid)])
    close()
  },

  'it is told before the process is gone: also of one that only replaces its image': async () => {
    const kernel = realKernel()
    const { told, until, close } = hearing(kernel)
    const { pid, map } = await startMarked(
      kernel,
      "process.on('SIGUSR2', () => kernel.execve('/bin/sleep', ['sleep', '1000'], {}, []))",
    )
    kernel.watchLife(map, PLACE, pid)
    kernel.kill(pid, 'SIGUSR2')
    await until('dying', pid)
    assert.deepEqual(told, [{ kind: 'dying', pid }])
    assert.deepEqual(kernel.exited([pid]), [])
    kernel.kill(pid, 'SIGKILL')
    await until('exited', pid)
    assert.equal(told.length, 2)
    close()
  },

  'of more than one system call waits for, the others are told of as soon as there is room': async () => {
    const kernel = realKernel()
    const { told, until, close } = hearing(kernel)
    const map = kernel.map(kernel.sharedMemory('lives', 200 * 64))
    const words = new Uint32Array(map)
    // Places that name processes which are not there: such a one dies when its place is wiped.
    const pretend = (index: number): Pid => {
      const pid = (2 ** 29 + index) as Pid
      words[index * 16] = pid
      kernel.watchLife(map, index * 64, pid)
      return pid
    }
    const others = Array.from({ length: 150 }, (_, index) => pretend(index))
    const { pid, map: own } = await startMarked(kernel)
    kernel.watchLife(own, PLACE, pid)
    const [wiped, last] = [pretend(150), pretend(151)]
    words[150 * 16] = 0
    others.push(last, pretend(152))
    // All were looked at once more, and there was no room for the child.
    await until('dying', wiped)
    for (const other of others) kernel.forgetLife(other)
    kernel.kill(pid, 'SIGKILL')
    await Promise.all([until('dying', pid), until('exited', pid)])
    assert(told.every((one) => one.pid === pid || one.pid === wiped))
    close()
  },

  'nothing is told of one that has not marked its life, of one that was forgotten, nor of another in its place':
    async () => {
      const kernel = realKernel()
      const { told, until, close } = hearing(kernel)
      const silent = await startMarked(kernel, '', false)
      kernel.watchLife(silent.map, PLACE, silent.pid)
      const forgotten = await startMarked(kernel)
      kernel.watchLife(forgotten.map, PLACE, forgotten.pid)
      kernel.forgetLife(forgotten.pid)
      const other = await startMarked(kernel)
      kernel.watchLife(other.map, PLACE, process.pid as Pid)
      const last = await startMarked(kernel)
      kernel.watchLife(last.map, PLACE, last.pid)
      for (const { pid } of [silent, forgotten, other, last]) {
        kernel.kill(pid, 'SIGKILL')
        await until('exited', pid)
      }
      await until('dying', last.pid)
      assert.deepEqual(
        told.filter(({ kind }) => kind === 'dying'),
        [{ kind: 'dying', pid: last.pid }],
      )
      close()
    },

  'nor of one that has taken its mark back, and it may mark its life again': async () => {
    const kernel = realKernel()
    const { told, until, close } = hearing(kernel)
    const again = `for (const place of [256, 320]) kernel.markLife(memory, place);
      for (const place of [256, ${PLACE}]) { kernel.unmarkLife(memory, place); kernel.unmarkLife(memory, place) }`
    const { pid, map } = await startMarked(kernel, again)
    const words = new Uint32Array(map)
    assert.equal(words[PLACE / 4], 0)
    for (const place of [PLACE, 256]) kernel.watchLife(map, place, pid)
    kernel.watchLife(map, 320, pid)
    kernel.kill(pid, 'SIGKILL')
    await Promise.all([until('dying', pid), until('exited', pid)])
    assert.equal(told.length, 2)
    const other = await startMarked(kernel, `kernel.unmarkLife(memory, ${PLACE})`)
    kernel.watchLife(other.map, PLACE, other.pid)
    kernel.kill(other.pid, 'SIGKILL')
    await until('exited', other.pid)
    assert.equal(told.length, 3)
    close()
  },

  'a place beyond the memory is refused': () => {
    const kernel = realKernel()
    const map = kernel.map(kernel.sharedMemory('lives', BYTES))
    for (const place of [-8, 4, BYTES - 56, BYTES]) {
      assert.throws(() => kernel.markLife(map, place), { code: 'EINVAL' })
      assert.throws(() => kernel.watchLife(map, place, process.pid as Pid), { code: 'EINVAL' })
    }
  },
}
