/** Shared memory. */
import assert from 'node:assert/strict'
import { ftruncateSync, openSync } from 'node:fs'
import { fd } from '../../lib/units.ts'
import { scratch } from '../support/scratch.ts'
import { ended, shell } from './children.ts'
import { realKernel } from './real.ts'

const BYTES = 4096

export const scenes = {
  'what a child writes is seen by us': async () => {
    const kernel = realKernel()
    const memory = kernel.sharedMemory('heartbeat', BYTES)
    const view = new Uint8Array(kernel.map(memory))
    const child = kernel.spawn(shell('printf abc >&3', { more: [{ from: memory, to: 3 }] }))
    assert.equal((await ended(kernel, child)).code, 0)
    assert.equal(Buffer.from(view.subarray(0, 4)).toString(), 'abc\0')
  },

  'a child can make it neither smaller nor larger, nor lift the seals': async () => {
    const kernel = realKernel()
    const memory = kernel.sharedMemory('heartbeat', BYTES)
    const view = new Uint8Array(kernel.map(memory))
    for (const size of [0, BYTES - 1, BYTES * 2]) assert.throws(() => ftruncateSync(memory, size), { code: 'EPERM' })
    const child = kernel.spawn(shell(': > /proc/self/fd/3', { more: [{ from: memory, to: 3 }] }))
    assert.notEqual((await ended(kernel, child)).code, 0)
    assert.equal(view[BYTES - 1], 0)
  },

  'memory that its maker could take away is not mapped': () => {
    const kernel = realKernel()
    assert.throws(() => kernel.map(fd(openSync(`${scratch()}/file`, 'w+'))), { code: 'EINVAL' })
    assert.throws(() => kernel.map(fd(999)), { code: 'EBADF' })
  },

  'a mapping outlives its descriptor, and goes with its buffer': () => {
    const kernel = realKernel()
    const memory = kernel.sharedMemory('heartbeat', BYTES)
    const first = new Float64Array(kernel.map(memory))
    const second = new Float64Array(kernel.map(memory))
    kernel.close(memory)
    first[0] = 1.5
    assert.equal(second[0], 1.5)
  },
}
