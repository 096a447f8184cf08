/** Who was forked ahead, and may have begun before anything here hears of it: without processes. */
import { Reserve } from '../../lib/arbiter/molds/reserve.ts'
import type { MoldProcess } from '../../lib/runtime/mold-process.ts'
import { ms, type Pid, pid } from '../../lib/units.ts'

const MOLD = { isQuiet: true } as MoldProcess
const SPARE = pid(100)
const FAREWELL = { order: { kind: 'drain', within: 30, stopping: false, after: 0 }, until: ms(40) } as const
const EXIT = { code: null, signal: 'SIGKILL', core: false } as const

type FakeWorker = { readonly pid: Pid; readonly key: { readonly generation: number; readonly slot: number } }
const worker = (number: number): FakeWorker => ({ pid: pid(number), key: { generation: 1, slot: number - 1 } })

/** One mold, its workers 1, 2 and so on, and one process that waits. */
function reserve({ followed = [1, 2] } = {}) {
  const did: string[] = []
  const all = [worker(1), worker(2)]
  const wills = new Set<Pid>()
  /** Whose will was said. */
  let said: Pid | null = null
  const channel = {
    revoke: () => {
      const of = said
      said = null
      wills.clear()
      return of
    },
  }
  const begins = (how: string) => (unborn: { key: FakeWorker['key'] }, of: Pid) => {
    did.push(`${how} 1:${unborn.key.slot}`)
    return { pid: of, key: unborn.key, channel: { send: ({ kind }: { kind: string }) => did.push(`send ${kind}`) } }
  }
  const reserve = new Reserve({
    kernel: { kill: (one: number) => did.push(`kill ${one}`) },
    workers: {
      all: () => all,
      get: (of: Pid) => all.find((one) => one.pid === of),
      prepare: (key: object) => ({ key }),
      bequeath: (of: Pid) => wills.add(of),
      call: begins('call'),
      called: begins('called'),
      discard: () => did.push('discard'),
      dismiss: () => did.push('dismiss'),
      bury: () => did.push('bury'),
    },
    wake: () => undefined,
    moldOf: () => MOLD,
    begun: () => undefined,
  } as never)
  reserve.born(MOLD, { pid: SPARE, ends: { channel } as never })
  const bequeath = () =>
    reserve.bequeath(
      () => new Set(followed as Pid[]),
      () => false,
    )
  bequeath()
  return {
    reserve,
    did,
    wills,
    bequeath,
    dies(of: FakeWorker) {
      expect(wills).toContain(of.pid)
      said = of.pid
    },
    expected: (of: FakeWorker) => reserve.expect(of as never, false),
    isReaped(of: FakeWorker) {
      all.splice(all.indexOf(of), 1)
      reserve.revokeOf(of.pid)
    },
    all,
  }
}

test('all workers leave it to the one that waits, once', () => {
  const { wills, bequeath } = reserve()
  expect([...wills]).toEqual([1, 2])
  wills.clear()
  bequeath()
  expect(wills.size).toBe(0)
})

test('who is not followed leaves none before it is', () => {
  const followed: number[] = []
  const { wills, bequeath } = reserve({ followed })
  expect(wills.size).toBe(0)
  followed.push(1, 2)
  bequeath()
  expect([...wills]).toEqual([1, 2])
})

test('who is followed no more has none', () => {
  const followed = [1, 2]
  const { wills, bequeath } = reserve({ followed })
  followed.shift()
  bequeath()
  expect([...wills]).toEqual([2])
})

test('who has begun by a will is not told again, and is the worker that is asked for', () => {
  const { reserve: held, did, dies, expected, isReaped, all } = reserve()
  const [one] = all as [FakeWorker]
  dies(one)
  expected(one)
  isReaped(one)
  expect(held.heir(one.key as never)?.pid).toBe(SPARE)
  held.settle(FAREWELL)
  expect(did).toEqual(['called 1:0'])
})

test('the same where the exit is heard first', () => {
  const { reserve: held, did, dies, isReaped, all } = reserve()
  const [one] = all as [FakeWorker]
  dies(one)
  isReaped(one)
  expect(held.heir(one.key as never)?.pid).toBe(SPARE)
  expect(held.of(MOLD)).toBeNull()
  expect(did).toEqual(['called 1:0'])
})

test('of two that die there is one for the first whose will was said', () => {
  const { reserve: held, did, dies, expected, isReaped, all } = reserve()
  const [one, two] = all as [FakeWorker, FakeWorker]
  dies(two)
  expected(one)
  isReaped(one)
  isReaped(two)
  expect(held.heir(one.key as never)).toBeUndefined()
  expect(held.ready(MOLD)).toBeNull()
  expect(held.heir(two.key as never)?.pid).toBe(SPARE)
  expect(did).toEqual(['called 1:1'])
})

test('one that dies without a will is followed as soon as it is heard', () => {
  const { did, expected, all } = reserve({ followed: [] })
  expected(all[0]!)
  expect(did).toEqual(['call 1:0'])
})

test('who is asked to leave has none any more; the others have one again', () => {
  const { reserve: held, wills, bequeath, all } = reserve()
  const [one] = all as [FakeWorker]
  held.revokeOf(one.pid)
  expect(wills.size).toBe(0)
  expect(held.of(MOLD)?.pid).toBe(SPARE)
  all.splice(0, 1)
  bequeath()
  expect([...wills]).toEqual([2])
})

test('who has begun when its mold is given up is asked to leave only where nobody asks for it, and ended when it stays', () => {
  const { reserve: held, did, dies, isReaped, all } = reserve()
  const [one] = all as [FakeWorker]
  dies(one)
  held.drop(MOLD)
  expect(did).toEqual(['called 1:0'])
  isReaped(one)
  held.settle(FAREWELL)
  expect(did).toEqual(['called 1:0', 'send drain'])
  held.judge(FAREWELL.until, ms(1))
  expect(did).toHaveLength(2)
  expect(held.deadline).toBe(FAREWELL.until + 1)
  held.hasten({ order: { kind: 'quit' }, until: ms(5) })
  held.judge(ms(5), ms(0))
  expect(did.slice(2)).toEqual(['send quit', `kill ${SPARE}`])
  expect(held.isGone).toBe(false)
  expect(held.left({ pid: SPARE, ...EXIT } as never)).toBe('dropped')
  expect(did.slice(4)).toEqual(['dismiss', 'bury'])
  expect(held.isGone).toBe(true)
})

test('who has begun and dies at once is buried as who follows, not as one that waited', () => {
  const { reserve: held, did, dies, all } = reserve()
  dies(all[0]!)
  expect(held.left({ pid: SPARE, ...EXIT } as never)).toBe('dropped')
  expect(did).toEqual(['called 1:0', 'dismiss', 'bury'])
})

test('one that dies while it waits is told of', () => {
  const { reserve: held, did } = reserve()
  expect(held.left({ pid: SPARE, ...EXIT } as never)).toBe('unexpected')
  expect(did).toEqual(['discard'])
})
