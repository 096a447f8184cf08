/** Whose death is answered by another process at once, known before it is known how it ends. */
import { type Event, followed, newPool, type Pool, type PoolPolicy, step } from '../../lib/supervision/pool.ts'
import { ms, pid } from '../../lib/units.ts'
import { POOL as policy } from './support/policy.ts'

const NOW = ms(1000)
const PID = pid(7)
const key = { generation: 1, slot: 0, relief: 0 }

const after = (pool: Pool, ...events: Event[]): Pool =>
  events.reduce((before, event) => step(before, event, NOW, policy).pool, pool)
const born: Event[] = [
  { kind: 'spawned', key, pid: PID },
  { kind: 'announced', key, pid: PID },
]
const starting = after(newPool(1, 1), { kind: 'start' }, ...born)
const up = after(starting, { kind: 'ready', key, pid: PID })
const killed: Event = { kind: 'exited', key, pid: PID, exit: { code: null, signal: 'SIGKILL', core: false } }

const isFollowed = (pool: Pool, under = policy): boolean => followed(pool, NOW, under).size > 0

test('a good worker is', () => {
  expect([...followed(up, NOW, policy)]).toEqual([PID])
  expect(step(up, killed, NOW, policy).effects).toContainEqual({ kind: 'spawn', key })
})

test.each([
  ['one that is not good yet', starting],
  ['one that asked to retire', after(up, { kind: 'retire', key })],
  ['one of a generation that a reload replaces', after(up, { kind: 'reload' })],
  ['one that was told to leave', after(up, { kind: 'stop', how: 'graceful' })],
  ['one of a pool that drains', after(up, { kind: 'drain' })],
  ['one that is gone', after(up, killed)],
])('%s is not', (_, pool) => expect(isFollowed(pool)).toBe(false))

test('nor one whose successor is to wait, or does not come, or depends on how it ends', () => {
  const { life } = policy
  const under = (restart: Partial<PoolPolicy['life']['restart']>): PoolPolicy => ({
    ...policy,
    life: { ...life, restart: { ...life.restart, ...restart } },
  })
  expect(isFollowed(up, under({ delay: { kind: 'fixed', delay: ms(5) } }))).toBe(false)
  expect(isFollowed(up, under({ budget: { failures: 0, window: ms(5), beyond: 'fail' } }))).toBe(false)
  expect(isFollowed(up, under({ autorestart: 'unexpected' }))).toBe(false)
  expect(isFollowed(up, under({ autorestart: 'never' }))).toBe(false)
})
