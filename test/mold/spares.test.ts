/** When a mold is asked for a process ahead, and what becomes of it: without processes. */
import { Spares } from '../../lib/arbiter/molds/spares.ts'
import type { MoldProcess } from '../../lib/runtime/mold-process.ts'
import { ms, pid } from '../../lib/units.ts'

const MOLD = { isQuiet: true } as MoldProcess
const ENDS = {} as never

function spares() {
  const killed: number[] = []
  const parts = {
    kernel: { kill: (one: number) => killed.push(one) },
    workers: { discard: () => undefined },
  }
  return { killed, all: new Spares(parts as never) }
}

test('a mold is asked when nobody has been born for a moment, and there is a time to look again until then', () => {
  const { all } = spares()
  all.owe(MOLD)
  expect(all.isDue(MOLD, true, ms(1000))).toBe(false)
  expect(all.deadline).toBe(1050)
  expect(all.isDue(MOLD, true, ms(1050))).toBe(true)
  expect(all.deadline).toBeNull()
  expect(all.isDue(MOLD, true, ms(2000))).toBe(false)
})

test('where nobody is to be asked any more there is no time to look again', () => {
  const { all } = spares()
  all.owe(MOLD)
  all.isDue(MOLD, true, ms(1000))
  all.rest()
  expect(all.deadline).toBeNull()
  expect(all.isDue(MOLD, true, ms(2000))).toBe(false)
  expect(all.isDue(MOLD, true, ms(2050))).toBe(true)
})

test('a worker that comes up while one is under way does not make it two', () => {
  const { all, killed } = spares()
  all.owe(MOLD)
  all.isDue(MOLD, true, ms(1000))
  expect(all.isDue(MOLD, true, ms(1050))).toBe(true)
  all.owe(MOLD)
  all.born(MOLD, { pid: pid(1), ends: ENDS })
  all.isDue(MOLD, true, ms(1060))
  expect(all.isDue(MOLD, true, ms(1200))).toBe(false)
  // Asked for twice before the first answer, as when that takes long.
  all.born(MOLD, { pid: pid(2), ends: ENDS })
  expect(killed).toEqual([2])
  expect(all.of(MOLD)?.pid).toBe(1)
  expect(all.leaders().map(([one]) => one)).toEqual([1, 2])
})
