import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { countShort, watchMemoryEvents } from '../../lib/worker/memory-events.ts'
import { memoryJudge, parseProportional, watchMemory } from '../../lib/worker/memory-limit.ts'
import { temporaryFolder } from '../support/folder.ts'

const MOST = 100

/** Looks with these resident sets; the proportional set is what `shared` leaves of them. */
async function looks(residents: readonly number[], shared: number | null) {
  let at = -1
  let asked = 0
  const judge = memoryJudge(MOST, {
    resident: () => residents[at]!,
    async proportional() {
      asked++
      return shared === null ? null : residents[at]! - shared
    },
  })
  const verdicts: (number | null)[] = []
  for (at = 0; at < residents.length; at++) verdicts.push(await judge())
  return { verdicts, asked }
}

test('A worker is too large when two looks in a row say so, and the second look names what it uses.', async () => {
  expect(await looks([90, 101, 130, 140], 0)).toEqual({ verdicts: [null, null, 130, 140], asked: 3 })
})

test('A peak that is gone at the next look does not count.', async () => {
  expect((await looks([150, 90, 150, 90, 150], 0)).verdicts).toEqual([null, null, null, null, null])
})

test('The proportional set is not asked for while the resident set is small enough.', async () => {
  expect(await looks([99, 100, 42], 0)).toEqual({ verdicts: [null, null, null], asked: 0 })
})

test('What is shared with others does not count, and is asked for again only after growth or a rest.', async () => {
  expect(await looks(Array(14).fill(120), 60)).toEqual({ verdicts: Array(14).fill(null), asked: 1 })
  expect(await looks(Array(17).fill(120), 60)).toEqual({ verdicts: Array(17).fill(null), asked: 2 })
  expect((await looks([120, 121, 140, 170, 171], 60)).verdicts).toEqual([null, null, null, null, 111])
})

test('Where the kernel tells no proportional set, the resident set counts.', async () => {
  expect((await looks([120, 121], null)).verdicts).toEqual([null, 121])
})

test('The proportional set is read from smaps_rollup, and from nothing else in it.', () => {
  const rollup = '00400000-7ffd [rollup]\nRss:    3000 kB\nPss:    2048 kB\nPss_Dirty:   1 kB\nSwapPss:  7 kB\n'
  expect(parseProportional(rollup)).toBe(2048 * 1024)
  expect(parseProportional('Rss: 3000 kB\n')).toBeNull()
})

const EVENTS = 'low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n'

test('Of the events of a cgroup those count that say that memory is short.', () => {
  expect(countShort(EVENTS)).toBe(0)
  expect(countShort('low 5\nhigh 2\nmax 30\noom 7\noom_kill 7\n')).toBe(32)
  expect(countShort('')).toBe(0)
})

test('Who watches the events is told when memory was short again, and not when something else was counted.', async () => {
  const path = join(temporaryFolder({ 'memory.events': EVENTS }), 'memory.events')
  let short = 0
  const watcher = watchMemoryEvents(path, () => short++)!
  writeFileSync(path, EVENTS.replace('low 0', 'low 1'))
  await once(watcher, 'change')
  expect(short).toBe(0)
  while (short === 0) {
    writeFileSync(path, EVENTS.replace('max 0', 'max 3'))
    await once(watcher, 'change')
  }
  watcher.close()
})

test('A cgroup that says that it is short of memory makes a worker look at itself.', async () => {
  const path = join(temporaryFolder({ 'memory.events': EVENTS }), 'memory.events')
  let looks = 0
  let events = 0
  const reason = await new Promise<string>((resolve) => {
    const shorter = () => writeFileSync(path, EVENTS.replace('high 0', `high ${++events}`))
    const resident = () => {
      looks++
      shorter()
      return 2 * 1024 ** 2
    }
    watchMemory({ maxMemory: 1024 ** 2 }, resolve, { eventsPath: path, resident, proportional: async () => null })
    shorter()
  })
  expect(reason).toBe('2.0 MB of memory, maxMemory is 1.0 MB')
  expect(looks).toBe(2)
})
