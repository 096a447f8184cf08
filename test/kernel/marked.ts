/** Children that have marked their lives. */
import assert from 'node:assert/strict'
import type { Kernel } from '../../lib/kernel/kernel.ts'
import type { Pid } from '../../lib/units.ts'
import { planOf, WITH_KERNEL } from './children.ts'

export const BYTES = 4096
export const PLACE = 128

type Marked = { readonly pid: Pid; readonly map: ArrayBuffer }

/** One that has marked its life at `PLACE` of the memory, if it `marks`, and has run the code. */
export async function startMarked(kernel: Kernel, code = '', marks = true): Promise<Marked> {
  const memory = kernel.sharedMemory('lives', BYTES)
  const map = kernel.map(memory)
  const [ours, theirs] = kernel.channelPair()
  const mark = marks ? `require('node:assert').equal(kernel.markLife(memory, ${PLACE}), true);` : ''
  const program = `${WITH_KERNEL} const memory = kernel.map(3); ${mark} ${code}; setInterval(() => {}, 1000); kernel.send(4, Buffer.from('x'))`
  const more = [
    { from: memory, to: 3 },
    { from: theirs, to: 4 },
  ]
  const pid = kernel.spawn(planOf([process.execPath, '-e', program], { more, leader: 'group' }))
  kernel.close(theirs)
  assert.notEqual(kernel.receiveNow(ours, 30_000 as never), null)
  return { pid, map }
}
