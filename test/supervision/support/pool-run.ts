/**
 * A pool in a world of misbehaving workers, held to its invariants after every step.
 */
import { isAtRest, pidOf } from '../../../lib/supervision/life.ts'
import type { Key } from '../../../lib/supervision/pool/key.ts'
import {
  deadline,
  type Effect,
  type Event,
  keyText,
  type Member,
  newPool,
  type Pool,
  type PoolPolicy,
  step,
} from '../../../lib/supervision/pool.ts'
import { ms } from '../../../lib/units.ts'
import { Random } from '../../support/random.ts'
import { type Temper, World } from './world.ts'

export class PoolRun {
  readonly world: World<Key>
  readonly #random: Random
  readonly policy: PoolPolicy
  pool: Pool
  now = 0
  steps = 0
  /** Reloads that have been promised an answer. */
  readonly open = new Set<number>()
  readonly told: Effect[] = []
  /** The most lives at once, the pool's size at that time taken off. */
  readonly #limit: number

  constructor(seed: number, temper: Temper, policy: PoolPolicy) {
    this.#random = new Random(seed)
    this.policy = policy
    this.pool = newPool(1 + this.#random.below(5), seed)
    this.world = new World(this.#random, temper, keyText, 300)
    this.#limit = policy.most
  }

  tell(event: Event): void {
    const before = this.pool
    const due = deadline(before, this.policy)
    const { pool, effects } = step(before, event, ms(this.now), this.policy)
    this.steps++
    this.pool = pool
    for (const effect of effects) this.#carryOut(effect)
    if (event.kind === 'tick' && (due === null || this.now < due) && pool !== before)
      throw new Error('moved before its deadline')
    const next = deadline(pool, this.policy)
    if (event.kind === 'tick' && next !== null && next <= this.now) throw new Error('the deadline did not move')
    this.#checkMembers()
    this.#checkCapacity(before, event)
  }

  leaveAlone(until: () => boolean, most = 20_000): void {
    for (let turn = 0; turn < most && !until(); turn++) this.turn(false)
    if (!until())
      throw new Error(
        `still ${this.pool.mode} after ${most} turns: ${this.members()}, ${JSON.stringify({ ...this.pool, members: 0 })}`,
      )
  }

  members(): string {
    return this.pool.members.map(({ key, role, life }) => `${keyText(key)} ${role} ${life.phase.kind}`).join(', ')
  }

  turn(meddle: boolean): void {
    if (meddle && this.#random.chance(0.05)) return this.tell(this.#command())
    if (meddle && this.#random.chance(0.01)) {
      const gap = 2000 + this.#random.below(20_000)
      this.now += gap
      return this.tell({ kind: 'gap', ms: ms(gap) })
    }
    const event = this.world.happened(this.now)
    if (event !== null) {
      const { name, ...rest } = event
      return this.tell({ ...rest, key: name } as Event)
    }
    const due = deadline(this.pool, this.policy)
    const at = this.world.nextAt()
    if (due === null && at === null) {
      this.now += 100
      return
    }
    this.now = Math.max(this.now, Math.min(due ?? Infinity, at ?? Infinity))
    if (due !== null && this.now >= due && (at === null || at > this.now)) this.tell({ kind: 'tick' })
  }

  #command(): Event {
    const random = this.#random
    const { members } = this.pool
    switch (random.below(8)) {
      case 0:
        return { kind: 'reload' }
      case 1:
        return { kind: 'scaleBy', by: random.pick([1, -1]) }
      case 2:
        return { kind: 'scale', to: random.below(8) }
      case 3:
        return random.chance(0.1) ? { kind: 'drain' } : { kind: 'start' }
      case 4:
        return { kind: 'tick' }
      default:
        if (members.length === 0) return { kind: 'start' }
        return { kind: 'retire', key: random.pick(members).key }
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'spawn':
        return this.world.spawn(effect.key, this.now)
      case 'abandon':
        return this.world.abandon(effect.key)
      case 'signal':
        return this.world.signal(effect.key, effect.pid, effect.how, this.now)
      case 'moved':
        if (effect.from.phase.kind === effect.to.phase.kind) throw new Error('a move that is none')
        return
      case 'reloading':
        if (this.open.has(effect.generation)) throw new Error(`reload ${effect.generation} begins twice`)
        this.open.add(effect.generation)
        break
      case 'reloaded':
      case 'reloadFailed':
        if (!this.open.delete(effect.generation))
          throw new Error(`${effect.kind} ${effect.generation} without a reload`)
        break
      case 'halted':
        if (this.told.some(({ kind }) => kind === 'started' || kind === 'reloaded'))
          throw new Error('halted though it was good once')
        break
      case 'emptied':
      case 'drained':
        if (this.pool.members.length > 0) throw new Error(`${effect.kind} with members`)
    }
    this.told.push(effect)
  }

  #checkMembers(): void {
    const { members, mode } = this.pool
    const places = new Set<string>()
    for (const { key, role, life } of members) {
      const held = pidOf(life)
      const place = role === 'going' ? keyText(key) : `${role} of ${key.slot}`
      if (places.has(place) || places.has(keyText(key))) throw new Error(`two: ${place}: ${this.members()}`)
      places.add(place)
      if (role !== 'going' && places.has(keyText(key))) throw new Error(`two under ${keyText(key)}`)
      places.add(keyText(key))
      if (held !== null && !this.world.children.has(held)) throw new Error(`holds ${held}, which is reaped`)
      if (role === 'going' && life.want === 'up') throw new Error(`${keyText(key)} is going and wanted`)
      if (role === 'going' && isAtRest(life)) throw new Error(`${keyText(key)} has gone and is kept`)
      if (role !== 'going' && mode !== 'running') throw new Error(`${keyText(key)} is ${role} while ${mode}`)
    }
    const pids = new Set(members.map(({ life }) => pidOf(life)))
    for (const [pid, { name, killed }] of this.world.children) {
      if (!pids.has(pid) && !killed) throw new Error(`lost ${pid} of ${keyText(name)}`)
    }
    if (members.length > Math.max(this.#limit, this.pool.size * 2) + this.policy.largest)
      throw new Error(`${members.length} members`)
  }

  /** Nothing that the pool does by itself takes a good worker from a slot that is wanted without another good one. */
  #checkCapacity(before: Pool, event: Event): void {
    if (this.pool.mode !== 'running' || before.mode !== 'running') return
    const isServing = ({ role, life }: Member) => role === 'holder' && life.phase.kind === 'up'
    const served = new Set(this.pool.members.filter(isServing).map(({ key }) => key.slot))
    for (const member of before.members.filter(isServing)) {
      const { slot } = member.key
      if (slot >= this.pool.size || served.has(slot)) continue
      const now = this.pool.members.find(({ key }) => key === member.key)
      const ownDoing =
        event.kind === 'exited' || (now?.life.phase.kind === 'leaving' && now.life.phase.trouble !== null)
      if (!ownDoing) throw new Error(`slot ${slot} lost its worker by ${event.kind}: ${this.members()}`)
    }
  }
}
