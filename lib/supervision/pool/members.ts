/**
 * Members of the pool and their lives.
 */
import { type Ms, ms, type Pid } from '../../units.ts'
import { deadline } from '../deadline.ts'
import { type Event as LifeEvent, newLife, step } from '../life.ts'
import type { Event, Member, Role } from '../pool.ts'
import { draw } from '../random.ts'
import { type Draft, replace } from './draft.ts'
import { type Key, sameKey } from './key.ts'

type Happened = Extract<Event, { readonly key: Key }> & { readonly kind: LifeEvent['kind'] }

/** Something happened to a worker. One that nobody knows came of a request that was abandoned: it is killed. */
export function tell(draft: Draft, event: Happened): void {
  const member = draft.members.find(({ key }) => sameKey(key, event.key))
  if (member !== undefined) live(draft, member, event)
  else if (event.kind === 'spawned') {
    draft.effects.push({ kind: 'signal', key: event.key, pid: event.pid, how: 'kill' })
  }
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
  if (moved) draft.effects.push({ kind: 'moved', key, from, to })
  for (const effect of effects) draft.effects.push({ ...effect, key })
  if (to === from) return member
  if (moved) draft.unsettled = true
  if (to.phase.kind === 'up') draft.proven = true
  return replace(draft, member, { ...member, life: to })
}

/** A new member under a key that nobody has, and its first process asked for. */
export function add(draft: Draft, slot: number, generation: number, role: Role): void {
  const taken = draft.members.filter(({ key }) => key.slot === slot && key.generation === generation)
  const relief = Math.max(-1, ...taken.map(({ key }) => key.relief)) + 1
  const { seed, value } = draw(draft.seed)
  draft.seed = seed
  const member: Member = {
    key: { generation, slot, relief },
    role,
    life: newLife(Math.floor(value * 2 ** 32)),
    retiring: null,
  }
  draft.members = [...draft.members, member]
  live(draft, member, { kind: 'start' })
}

/** Tells a member to leave for good. */
export function dismiss(draft: Draft, member: Member, how: 'stop' | 'quick'): void {
  const going = member.role === 'going' ? member : replace(draft, member, { ...member, role: 'going', retiring: null })
  live(draft, going, { kind: 'stop', how })
}

export function promote(draft: Draft, member: Member): void {
  replace(draft, member, { ...member, role: 'holder' })
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

/** Whether another life may begin. The pool's size and what a reload adds to it always fit once old ones are gone. */
export function hasRoom(draft: Draft, extra: number): boolean {
  return draft.members.length < Math.max(draft.policy.most, draft.size + extra)
}

/** Marks a member as waiting to be relieved. */
export const markRetiring = (draft: Draft, member: Member, pid: Pid): Member =>
  replace(draft, member, { ...member, retiring: { pid, since: draft.now } })
