/**
 * Members of the pool and their lives.
 */
import { type Ms, ms, type Pid } from '../../units.ts'
import { deadline } from '../deadline.ts'
import { type Life, type Event as LifeEvent, lastOne, newLife, step } from '../life.ts'
import type { Event, Member, Role } from '../pool.ts'
import { draw } from '../random.ts'
import { append, type Draft, replace } from './draft.ts'
import { type Key, sameKey } from './key.ts'

type Happened = Extract<Event, { readonly key: Key }> & { readonly kind: LifeEvent['kind'] }

/** Something happened to a worker. One that nobody knows came of a request that was abandoned: it is killed. */
export function tell(draft: Draft, event: Happened): void {
  const member = draft.members.find(({ key }) => sameKey(key, event.key))
  if (member === undefined) {
    if (event.kind === 'spawned') draft.effects.push({ ...event, kind: 'signal', how: 'kill' })
  } else if (event.kind === 'exited' && isLast(draft, member)) {
    live(draft, replace(draft, member, { ...member, life: lastOne(member.life) }), event)
  } else live(draft, member, event)
}

export function tick(draft: Draft): void {
  for (const member of draft.members) {
    const due = deadline(member.life, draft.policy.life)
    if (due !== null && draft.now >= due) live(draft, member, { kind: 'tick' })
  }
}

export function gap(draft: Draft, length: Ms): void {
  for (const member of draft.members) live(draft, member, { kind: 'gap', ms: ms(length) })
}

/** One step of a member's life; its effects become the pool's. */
export function live(draft: Draft, member: Member, event: LifeEvent): Member {
  const { key, life: from } = member
  const { life: to, effects } = step(from, event, draft.now, draft.policy.life)
  const moved = from.phase.kind !== to.phase.kind
  if (moved) tellMove(draft, key, from, to)
  for (const effect of effects) {
    if (effect.kind === 'signal') draft.effects.push({ kind: 'signal', key, pid: effect.pid, how: effect.how })
    else draft.effects.push({ kind: effect.kind, key })
  }
  if (to === from) return member
  if (moved) draft.unsettled = true
  if (to.phase.kind === 'up') draft.proven = true
  return replace(draft, member, { key, role: member.role, life: to, retiring: member.retiring })
}

/** Two moves in one step are told as one: what was in between has not happened to anybody. */
function tellMove(draft: Draft, key: Key, from: Life, to: Life): void {
  const at = draft.effects.findLastIndex((effect) => effect.kind === 'moved' && effect.key === key)
  const earlier = draft.effects[at]
  if (earlier?.kind === 'moved') draft.effects[at] = { ...earlier, to }
  else draft.effects.push({ kind: 'moved', key, from, to })
}

/** Nothing is to follow it in its place: its end is the end of the reload, or its relief is on the way. */
function isLast(draft: Draft, { role, retiring, key }: Member): boolean {
  if (role !== 'holder') return role === 'candidate'
  return retiring !== null && bySlot(draft, 'relief')[key.slot] !== undefined
}

/** A new member under a key that nobody has, and its first process asked for. */
export function add(draft: Draft, slot: number, generation: number, role: Role): void {
  let relief = 0
  for (const { key } of draft.members) {
    if (key.slot === slot && key.generation === generation) relief = Math.max(relief, key.relief + 1)
  }
  const { seed, value } = draw(draft.seed)
  draft.seed = seed
  const member: Member = {
    key: { generation, slot, relief },
    role,
    life: newLife(Math.floor(value * 2 ** 32)),
    retiring: null,
  }
  append(draft, member)
  live(draft, member, { kind: 'start' })
}

/** Tells a member to leave for good. */
export function dismiss(draft: Draft, member: Member, how: 'stop' | 'quick'): void {
  live(draft, member.role === 'going' ? member : recast(draft, member, 'going', null), { kind: 'stop', how })
}

export function promote(draft: Draft, member: Member): void {
  recast(draft, member, 'holder', member.retiring)
}

function recast(draft: Draft, member: Member, role: Role, retiring: Member['retiring']): Member {
  draft.unsettled = true
  return replace(draft, member, { key: member.key, role, life: member.life, retiring })
}

export const ofRole = (draft: Draft, role: Role): readonly Member[] =>
  draft.members.filter((member) => member.role === role)

/** The members of a role by their slot; there is at most one of each, but of those who are going. */
export function bySlot(draft: Draft, role: Exclude<Role, 'going'>): readonly (Member | undefined)[] {
  const slots: (Member | undefined)[] = []
  for (const member of draft.members) if (member.role === role) slots[member.key.slot] = member
  return slots
}

export const isUp = ({ life }: Member): boolean => life.phase.kind === 'up'

/**
 * Whether another life may begin now: not while many are being started. The pool's size and what a reload adds to it
 * always fit once old ones are gone.
 */
export function hasRoom(draft: Draft, extra: number): boolean {
  const { most, spawnsAtOnce } = draft.policy
  const asked = draft.members.filter(({ life }) => life.phase.kind === 'spawning').length
  return asked < spawnsAtOnce && draft.members.length < Math.max(most, draft.size + extra)
}

/** Marks a member as waiting to be relieved. */
export const markRetiring = (draft: Draft, member: Member, pid: Pid): Member =>
  replace(draft, member, { ...member, retiring: { pid, since: draft.now } })
