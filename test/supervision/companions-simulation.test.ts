/**
 * A seeded simulation of a set of companions that misbehave in every way, under commands, rereads and shutdowns.
 */
import { type Command, command } from '../../lib/supervision/companions/commands.ts'
import { reread } from '../../lib/supervision/companions/reread.ts'
import {
  type Companions,
  deadline,
  type Effect,
  type Event,
  newCompanions,
  type Spec,
  step,
} from '../../lib/supervision/companions.ts'
import { stateWord } from '../../lib/supervision/describe.ts'
import { isAtRest, pidOf } from '../../lib/supervision/life.ts'
import { ms } from '../../lib/units.ts'
import { Random } from '../support/random.ts'
import { COMPANION } from './support/policy.ts'
import { eachSeed } from './support/seeds.ts'
import { GOOD, type Temper, World } from './support/world.ts'

const NAMES = ['ant', 'bee', 'cat', 'dog', 'eel'] as const

const BAD: Temper = {
  spawnFails: 0.1,
  spawnHangs: 0.08,
  bootFails: 0.2,
  bootHangs: 0.1,
  dies: 0.4,
  fallsSilent: 0,
  stubborn: 0.4,
  survivesKill: 0.3,
}

class Simulation {
  readonly world: World<string>
  readonly random: Random
  companions: Companions
  /** The configuration in force. */
  wanted: readonly Spec[]
  readonly told: Effect[] = []
  now = 0
  steps = 0

  constructor(seed: number, temper: Temper) {
    this.random = new Random(seed)
    this.world = new World(this.random, temper, (name) => name, 500)
    this.wanted = this.specs()
    this.companions = newCompanions(this.wanted, seed)
  }

  specs(): Spec[] {
    const { random } = this
    return NAMES.filter(() => random.chance(0.7)).map((name) => ({
      name,
      hash: String(random.below(2)),
      priority: random.below(3),
      policy: { ...COMPANION, gracefulTimeout: 500 + random.below(3000) },
    }))
  }

  tell(event: Event): void {
    const before = this.companions
    const due = deadline(before)
    const given = step(before, event, ms(this.now))
    this.#take(given)
    if (event.kind !== 'tick') return
    if ((due === null || this.now < due) && given.effects.length > 0) throw new Error('moved before its deadline')
    const next = deadline(this.companions)
    if (next !== null && next <= this.now) throw new Error('the deadline did not move')
  }

  ask(asked: Command): boolean {
    const before = this.companions
    const given = command(before, asked, ms(this.now))
    this.#take(given)
    const after = this.find(asked.name)
    if (!given.answer.ok) {
      if (given.effects.length > 0) throw new Error(`${asked.kind} was refused and did something`)
    } else if (after !== undefined && after.manualStop !== (asked.kind === 'stop'))
      throw new Error('manualStop is wrong')
    return given.answer.ok
  }

  reread(specs: readonly Spec[]): void {
    const before = this.companions
    const given = reread(before, specs, ms(this.now))
    if (!given.answer.ok) {
      if (given.companions !== before || given.effects.length > 0) throw new Error('an error changed something')
      return
    }
    const old = new Map(this.wanted.map(({ name, hash }) => [name, hash]))
    this.wanted = specs
    this.#take(given)
    const { added, removed, restarted, unchanged } = given.answer
    expect([...added, ...restarted, ...unchanged].sort()).toEqual(specs.map(({ name }) => name).sort())
    expect(added).toEqual(specs.map(({ name }) => name).filter((name) => !old.has(name)))
    expect([...removed].sort()).toEqual(
      [...old.keys()].filter((name) => !specs.some((spec) => spec.name === name)).sort(),
    )
    for (const { name, hash } of specs) {
      if (old.get(name) === hash && !unchanged.includes(name)) throw new Error(`${name} is the same and was touched`)
    }
  }

  find(name: string) {
    return this.companions.members.find(({ spec }) => spec.name === name)
  }

  turn(meddle: boolean): void {
    const { random, world } = this
    const chance = meddle ? random.unit() : 1
    if (chance < 0.06) {
      this.ask({ kind: random.pick(['start', 'stop', 'restart']), name: random.pick(NAMES) })
      return
    }
    if (chance < 0.08) return this.reread(this.specs())
    if (chance < 0.085) return this.reread([...this.wanted, ...this.wanted])
    if (chance < 0.09) {
      const gap = ms(1000 + random.below(9000))
      this.now += gap
      return this.tell({ kind: 'gap', ms: gap })
    }
    const event = world.happened(this.now)
    if (event !== null) {
      if (event.kind === 'spawned' || event.kind === 'spawnFailed' || event.kind === 'exited') this.tell(event)
      return
    }
    const due = deadline(this.companions)
    const at = world.nextAt()
    this.now =
      due === null && at === null ? this.now + 100 : Math.max(this.now, Math.min(due ?? Infinity, at ?? Infinity))
    if (due !== null && this.now >= due) this.tell({ kind: 'tick' })
  }

  /** `until` is asked once a turn, and not again once it has said yes. */
  leaveAlone(until: () => boolean, most = 8000): void {
    for (let turn = 0; turn < most; turn++) {
      if (until()) return
      this.turn(false)
    }
    throw new Error(`still ${this.states()} after ${most} turns`)
  }

  states(): string {
    return this.companions.members.map(({ spec, life }) => `${spec.name} ${stateWord(life)}`).join(', ')
  }

  #take({ companions, effects }: { companions: Companions; effects: readonly Effect[] }): void {
    this.companions = companions
    this.steps++
    for (const effect of effects) this.#carryOut(effect)
    this.#check()
  }

  #carryOut(effect: Effect): void {
    this.told.push(effect)
    if (effect.kind === 'spawn') {
      const wanted = this.wanted.find(({ name }) => name === effect.name)
      if (wanted?.hash !== effect.hash)
        throw new Error(`${effect.name} starts from ${effect.hash}, not ${wanted?.hash}`)
      if (this.find(effect.name)?.manualStop) throw new Error(`${effect.name} was stopped by hand and starts`)
      if (this.companions.mode !== 'running') throw new Error(`${effect.name} starts while ${this.companions.mode}`)
      this.world.spawn(effect.name, this.now)
    } else if (effect.kind === 'abandon') {
      this.world.abandon(effect.name)
      // As `Forks` does; others are tested with lives alone.
      this.world.forgetLate(effect.name)
    } else if (effect.kind === 'signal') this.world.signal(effect.name, effect.pid, effect.how, this.now)
  }

  #check(): void {
    const { members } = this.companions
    if (new Set(members.map(({ spec }) => spec.name)).size < members.length) throw new Error('two of one name')
    const pids = new Set(members.map(({ life }) => pidOf(life)))
    for (const pid of pids)
      if (pid !== null && !this.world.children.has(pid)) throw new Error(`holds ${pid}, which is reaped`)
    for (const [pid, { name, killed }] of this.world.children) {
      if (!pids.has(pid) && !killed) throw new Error(`lost ${pid} of ${name}`)
    }
    for (const { farewell, life, spec } of members) {
      if (farewell !== null && isAtRest(life)) throw new Error(`${spec.name} is gone and kept`)
    }
  }
}

const each = (seeds: number, run: (made: Simulation, seed: number) => void, temper = BAD): number =>
  eachSeed(seeds, (seed) => new Simulation(seed, temper), run)

test('whatever companions do and whatever is asked, the set keeps to its rules', () => {
  const steps = each(500, (simulation) => {
    simulation.tell({ kind: 'start' })
    for (let turn = 0; turn < 500; turn++) simulation.turn(true)
  })
  expect(steps).toBeGreaterThan(50_000)
})

test('left alone with companions that behave, those of the configuration run, but the ones stopped by hand', () => {
  each(300, (simulation, seed) => {
    simulation.tell({ kind: 'start' })
    for (let turn = 0; turn < seed % 300; turn++) simulation.turn(true)
    simulation.world.temper = GOOD
    for (const name of NAMES) {
      simulation.leaveAlone(
        () => simulation.ask({ kind: 'restart', name }) || !simulation.wanted.some((spec) => spec.name === name),
      )
    }
    const stopped = simulation.wanted.filter((_spec, index) => index % 2 === 0).map(({ name }) => name)
    simulation.leaveAlone(() => stopped.every((name) => simulation.ask({ kind: 'stop', name })))
    const isSettled = () =>
      simulation.companions.members.every(
        ({ spec, life, farewell }) =>
          farewell === null && life.phase.kind === (stopped.includes(spec.name) ? 'down' : 'up'),
      )
    simulation.leaveAlone(isSettled)
    expect(simulation.companions.members.map(({ spec }) => [spec.name, spec.hash])).toEqual(
      simulation.wanted.map(({ name, hash }) => [name, hash]),
    )
    expect(simulation.world.children.size).toBe(simulation.wanted.length - stopped.length)
  })
})

test('what is shut down is emptied once, and nobody is left', () => {
  each(300, (simulation, seed) => {
    simulation.tell({ kind: 'start' })
    for (let turn = 0; turn < seed % 300; turn++) simulation.turn(true)
    simulation.tell({ kind: 'shutdown', how: seed % 2 === 0 ? 'graceful' : 'quick' })
    const began = simulation.now
    simulation.leaveAlone(() => simulation.companions.mode === 'stopped')
    expect(simulation.told.filter(({ kind }) => kind === 'emptied')).toHaveLength(1)
    if (seed % 2 === 1) expect(simulation.now - began).toBeLessThan(2000)
  })
})

test('starts go out by ascending priority, stops by descending', () => {
  each(
    100,
    (simulation) => {
      const priority = (name: string) => simulation.wanted.find((spec) => spec.name === name)!.priority
      const priorities = (kind: 'spawn' | 'signal') =>
        simulation.told.flatMap((effect) => (effect.kind === kind ? [priority(effect.name)] : []))
      simulation.tell({ kind: 'start' })
      expect(priorities('spawn')).toEqual([...priorities('spawn')].sort())
      expect(priorities('spawn')).toHaveLength(simulation.wanted.length)
      simulation.leaveAlone(() => simulation.companions.members.every(({ life }) => life.phase.kind === 'up'))
      simulation.tell({ kind: 'shutdown', how: 'graceful' })
      expect(priorities('signal')).toEqual([...priorities('signal')].sort().reverse())
      expect(priorities('signal')).toHaveLength(simulation.wanted.length)
    },
    GOOD,
  )
})
