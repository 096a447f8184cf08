/** Rows of the heartbeat memory, over an upgrade in place: without processes. */
import { Heartbeats } from '../../lib/arbiter/heartbeats.ts'
import { BYTES, CELLS } from '../../lib/channel/heartbeat.ts'
import { fd } from '../../lib/units.ts'

test('another image has the rows of all but the workers that stay, those of processes forked ahead as well', () => {
  const kernel = { sharedMemory: () => fd(3), map: () => new ArrayBuffer(BYTES) } as never
  const heartbeats = new Heartbeats(kernel)
  const [worker] = [heartbeats.take(), heartbeats.take()]
  const next = new Heartbeats(kernel, heartbeats.pack([worker!.index]))
  const taken = Array.from({ length: CELLS - 1 }, () => next.take().index)
  expect(new Set(taken).size).toBe(CELLS - 1)
  expect(taken).not.toContain(worker!.index)
  expect(() => next.take()).toThrow(`more than ${CELLS} workers are alive at once`)
})
