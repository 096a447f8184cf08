/**
 * A seeded simulation of one life among children that misbehave in every way, held to the invariants of its machine.
 */
import { deadline } from '../../lib/supervision/deadline.ts'
import { type Event, isAtRest, type Life, type LifePolicy, newLife, pidOf, step } from '../../lib/supervision/life.ts'
import { ms, pid } from '../../lib/units.ts'
import { Random } from '../support/random.ts'
import { COMPANION, POLICY, RESTART } from './support/policy.ts'
import { eachSeed } from './support/seeds.ts'
import { GOOD, type Temper, World } from './support/world.ts'

const BAD: Temper = {
  spawnFails: 0.15,
  spawnHangs: 0.1,
  bootFails: 0.2,
  bootHangs: 0.15,
  dies: 0.5,
  fallsSilent: 0.2,
  stubborn: 0.4,
  survivesKill: 0.4,
}

const POLICIES: readonly LifePolicy[] = [
  POLICY,
  { ...POLICY, probe: true, bootTimeout: ms(100) },
  { ...POLICY, waitLasted: true, bootTimeout: ms(100) },
  { ...POLICY, startsecs: ms(0), restart: { ...RESTART, startretries: 2 } },
  { ...POLICY, restart: { ...RESTART, budget: { failures: 3, window: ms(4000), beyond: 'wait' } } },
  {
    ...POLICY,
    restart: { ...RESTART, budget: { failures: 3, window: ms(4000), beyond: 'fail' }, autorestart: 'unexpected' },
  },
  COMPANION,
  { ...COMPANION, restart: { ...COMPANION.restart, autorestart: 'never', startretries: null } },
]

class Simulation {
  readonly world: World<'it'>
  life: Life
  now = 0
  steps = 0
  readonly #policy: LifePolicy
  readonly #random: Random

  constructor(seed: number, temper: Temper) {
    this.#random = new Random(seed)
    this.#policy = POLICIES[seed % POLICIES.length]!
    this.life = newLife(seed)
    this.world = new World(this.#random, temper, () => 'it', 300)
  }

  /** One event, carried out and checked. */
  tell(event: Event): void {
    const policy = this.#policy
    const before = this.life
    const due = deadline(before, policy)
    const { life, effects } = step(before, event, ms(this.now), policy)
    this.steps++
    this.life = life
    for (const effect of effects) {
      if (effect.kind === 'spawn') this.world.spawn('it', this.now)
      else if (effect.kind === 'abandon') this.world.abandon('it')
      else this.world.signal('it', effect.pid, effect.how, this.now)
    }
    if (before.want === 'down' && event.kind !== 'start' && event.kind !== 'restart') {
      if (life.want === 'up' || effects.some(({ kind }) => kind === 'spawn')) throw new Error('came up unasked')
    }
    if (event.kind === 'tick' && (due === null || this.now < due) && life !== before)
      throw new Error('moved before its deadline')
    const next = deadline(life, policy)
    if (event.kind === 'tick' && next !== null && next <= this.now)
      throw new Error(`the deadline did not move in ${life.phase.kind}`)
    this.#checkPids()
  }

  /** Nothing but what the world and the deadlines bring. */
  leaveAlone(until: () => boolean, most = 3000): void {
    for (let turn = 0; turn < most && !until(); turn++) this.turn(false)
    if (!until()) throw new Error(`still ${this.life.want} ${this.life.phase.kind} after ${most} turns`)
  }

  turn(meddle: boolean): void {
    const { world } = this
    const chance = meddle ? this.#random.unit() : 1
    if (chance < 0.01) return this.tell({ kind: 'start' })
    if (chance < 0.02) return this.tell({ kind: 'stop', how: this.#random.pick(['stop', 'quick', 'kill']) })
    if (chance < 0.03) return this.tell({ kind: 'restart' })
    if (chance < 0.04) return this.tell({ kind: 'exited', pid: pid(7), exit: { code: 1, signal: null, core: false } })
    if (chance < 0.05) return this.tell({ kind: 'tick' })
    const event = world.happened(this.now)
    if (event !== null) return this.tell(event)
    const due = deadline(this.life, this.#policy)
    const at = world.nextAt()
    if (due === null && at === null) {
      this.now += 100
      return
    }
    this.now = Math.max(this.now, Math.min(due ?? Infinity, at ?? Infinity))
    if (chance < 0.06) {
      const gap = 2000 + this.#random.below(60_000)
      this.now += gap
      this.tell({ kind: 'gap', ms: ms(gap) })
    } else if (chance < 0.2) this.now += this.#random.below(100)
    if (due !== null && this.now >= due && (at === null || at > this.now)) this.tell({ kind: 'tick' })
  }

  /** A live pid is in the state until it is reaped, and no other. A stray has been killed at once. */
  #checkPids(): void {
    const held = pidOf(this.life)
    if (held !== null && !this.world.children.has(held)) throw new Error(`holds ${held}, which is reaped`)
    for (const [alive, child] of this.world.children) {
      if (alive !== held && !child.killed) throw new Error(`lost ${alive} in ${this.life.phase.kind}`)
    }
  }
}

const each = (seeds: number, run: (made: Simulation, seed: number) => void, temper = BAD): number =>
  eachSeed(seeds, (seed) => new Simulation(seed, temper), run)

test('whatever its processes do and whatever is asked, a life keeps to its rules', () => {
  const steps = each(1500, (simulation) => {
    simulation.tell({ kind: 'start' })
    for (let turn = 0; turn < 300; turn++) simulation.turn(true)
  })
  expect(steps).toBeGreaterThan(200_000)
})

test('what is stopped and left alone comes down, whatever it was doing', () => {
  each(1500, (simulation, seed) => {
    simulation.tell({ kind: 'start' })
    for (let turn = 0; turn < seed % 100; turn++) simulation.turn(true)
    simulation.tell({ kind: 'stop', how: seed % 2 === 0 ? 'stop' : 'quick' })
    simulation.leaveAlone(() => isAtRest(simulation.life))
    expect(pidOf(simulation.life)).toBeNull()
  })
})

test('what is started comes up once its processes behave, whatever was before', () => {
  each(1500, (simulation, seed) => {
    for (let turn = 0; turn < seed % 100; turn++) simulation.turn(true)
    simulation.world.temper = GOOD
    simulation.tell({ kind: 'start' })
    // The process of before may still use up the tries.
    simulation.leaveAlone(() => simulation.life.phase.kind === 'up' || isAtRest(simulation.life))
    simulation.tell({ kind: 'start' })
    simulation.leaveAlone(() => simulation.life.phase.kind === 'up')
  })
})

test('a crash loop gives up or slows down', () => {
  each(
    70,
    (simulation) => {
      simulation.tell({ kind: 'start' })
      while (simulation.now < 600_000 && simulation.life.phase.kind !== 'failed') simulation.turn(false)
      if (simulation.life.phase.kind === 'failed') return
      expect(simulation.world.spawns).toBeLessThan(600_000 / 1500)
    },
    { ...GOOD, bootFails: 1 },
  )
})
