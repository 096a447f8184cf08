/**
 * A seeded simulation of a pool among workers that misbehave in every way, under reloads, scaling, retirement and drains.
 */
import type { PoolPolicy } from '../../lib/supervision/pool.ts'
import { ms } from '../../lib/units.ts'
import { POLICY, RESTART } from './support/policy.ts'
import { PoolRun } from './support/pool-run.ts'
import { eachSeed } from './support/seeds.ts'
import { GOOD, type Temper } from './support/world.ts'

const BAD: Temper = {
  spawnFails: 0.05,
  spawnHangs: 0.03,
  bootFails: 0.06,
  bootHangs: 0.04,
  dies: 0.2,
  fallsSilent: 0.06,
  stubborn: 0.3,
  survivesKill: 0.3,
}

const BASE: PoolPolicy = {
  life: POLICY,
  reloadStep: null,
  retireAtOnce: 1,
  spawnsAtOnce: 8,
  most: 12,
  largest: 6,
  bootAttempts: 3,
}
const POLICIES: readonly PoolPolicy[] = [
  BASE,
  { ...BASE, reloadStep: 1 },
  { ...BASE, reloadStep: 2, retireAtOnce: 3, spawnsAtOnce: 2, life: { ...POLICY, startsecs: ms(0) } },
  { ...BASE, most: 7, life: { ...POLICY, probe: true, waitLasted: true } },
  {
    ...BASE,
    most: 1,
    life: { ...POLICY, restart: { ...RESTART, budget: { failures: 4, window: ms(5000), beyond: 'wait' } } },
  },
]

const each = (seeds: number, run: (pool: PoolRun, seed: number) => void, temper = BAD): number =>
  eachSeed(seeds, (seed) => new PoolRun(seed, temper, POLICIES[seed % POLICIES.length]!), run)

/** Good behaviour from now on, and the pool on its feet: a first generation may have halted before. */
function settleDown(pool: PoolRun): boolean {
  pool.world.temper = GOOD
  pool.tell({ kind: 'start' })
  const { size } = pool.pool
  const isWhole = () =>
    pool.pool.members.length === size &&
    pool.pool.members.every(({ role, life }) => role === 'holder' && life.phase.kind === 'up')
  pool.leaveAlone(() => pool.pool.mode === 'stopped' || (pool.pool.reload === null && isWhole()))
  return pool.pool.mode !== 'stopped'
}

test('whatever its workers do and whatever is asked, a pool keeps to its rules', () => {
  const steps = each(300, (pool) => {
    pool.tell({ kind: 'start' })
    for (let turn = 0; turn < 500; turn++) pool.turn(true)
  })
  expect(steps).toBeGreaterThan(80_000)
})

test('left alone with workers that behave, every slot has one good worker, and no other is left', () => {
  let whole = 0
  each(300, (pool, seed) => {
    pool.tell({ kind: 'start' })
    for (let turn = 0; turn < seed % 300; turn++) pool.turn(true)
    if (!settleDown(pool)) return
    whole++
    expect(pool.pool.members.map(({ key }) => key.slot).sort()).toEqual([...Array(pool.pool.size).keys()])
    expect(pool.world.children.size).toBe(pool.pool.size)
    expect([...pool.open]).toEqual([])
  })
  expect(whole).toBeGreaterThan(200)
})

test('a reload with workers that behave succeeds, and every worker is of the new generation', () => {
  each(200, (pool, seed) => {
    pool.tell({ kind: 'start' })
    for (let turn = 0; turn < seed % 300; turn++) pool.turn(true)
    if (!settleDown(pool)) return
    pool.tell({ kind: 'reload' })
    const { latest } = pool.pool
    pool.leaveAlone(() => pool.open.size === 0)
    expect(pool.told.at(-1)).toEqual({ kind: 'reloaded', generation: latest })
    expect(pool.pool.members.filter(({ role }) => role === 'holder').map(({ key }) => key.generation)).toEqual(
      Array(pool.pool.size).fill(latest),
    )
  })
})

test('a reload whose workers all fail leaves every worker of before in its place', () => {
  each(200, (pool) => {
    pool.tell({ kind: 'start' })
    if (!settleDown(pool)) return
    const before = pool.pool.members.map(({ life }) => life.phase)
    pool.world.temper = { ...GOOD, bootFails: 1 }
    pool.tell({ kind: 'reload' })
    pool.leaveAlone(() => pool.open.size === 0)
    expect(pool.told.at(-1)).toMatchObject({ kind: 'reloadFailed' })
    pool.world.temper = GOOD
    pool.leaveAlone(() => pool.pool.members.length === pool.pool.size)
    const child = (phase: (typeof before)[number]) => 'child' in phase && phase.child.pid
    expect(pool.pool.members.map(({ life }) => child(life.phase))).toEqual(before.map(child))
  })
})

test('what is stopped and left alone is emptied once, and nobody is left', () => {
  each(300, (pool, seed) => {
    pool.tell({ kind: 'start' })
    for (let turn = 0; turn < seed % 300; turn++) pool.turn(true)
    if (pool.pool.mode === 'stopped') return
    const before = pool.told.length
    pool.tell({ kind: 'stop', how: seed % 2 === 0 ? 'graceful' : 'quick' })
    pool.leaveAlone(() => pool.pool.mode === 'stopped')
    expect(pool.told.slice(before).filter(({ kind }) => kind === 'emptied')).toHaveLength(1)
    expect(pool.told.at(-1)).toEqual({ kind: 'emptied' })
    expect([...pool.open]).toEqual([])
  })
})

test('an app that never boots halts the pool, and the first generation only', () => {
  each(
    100,
    (pool) => {
      pool.tell({ kind: 'start' })
      pool.leaveAlone(() => pool.pool.mode === 'stopped')
      expect(pool.told.map(({ kind }) => kind)).toEqual(['halted', 'emptied'])
      expect(pool.world.spawns).toBeLessThanOrEqual(pool.pool.size * pool.policy.bootAttempts)
    },
    { ...GOOD, bootFails: 1 },
  )
})
