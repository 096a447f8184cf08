/**
 * The set while one step works on it: a copy that never leaves the step.
 */
import type { Ms } from '../../units.ts'
import type { Companion, Companions, Effect, Spec, Step } from '../companions.ts'
import {
  isAtRest,
  type Life,
  type Event as LifeEvent,
  type LifePolicy,
  type Step as LifeStep,
  newLife,
  pidOf,
  step,
  troubleOf,
} from '../life.ts'
import { draw } from '../random.ts'

export type Draft = {
  mode: Companions['mode']
  members: Companion[]
  seed: Companions['seed']
  readonly effects: Effect[]
  readonly now: Ms
}

export const open = ({ mode, members, seed }: Companions, now: Ms): Draft => ({
  mode,
  members: [...members],
  seed,
  effects: [],
  now,
})

export const close = ({ mode, members, seed, effects }: Draft): Step => ({
  companions: { mode, members, seed },
  effects,
})

/** Adds a companion that is down, after the others. */
export function add(draft: Draft, spec: Spec): void {
  draft.members.push(fresh(draft, spec))
}

/** One step of a companion's life; its effects become the set's. */
export function live(draft: Draft, name: string, event: LifeEvent): void {
  const at = draft.members.findIndex(({ spec }) => spec.name === name)
  const member = draft.members[at]!
  const { life: from, spec: old } = member
  const { life: to, effects } = stepOf(from, event, draft.now, old.policy)
  if (to.phase.kind !== from.phase.kind) draft.effects.push({ kind: 'moved', name, from, to })
  const isFree = effects.some(({ kind }) => kind === 'spawn') || (pidOf(to) === null && to.phase.kind !== 'spawning')
  const spec = (isFree ? member.next : null) ?? old
  for (const effect of effects) {
    if (effect.kind === 'spawn') draft.effects.push({ ...effect, name, hash: spec.hash })
    else if (effect.kind === 'signal') draft.effects.push({ ...effect, name, hash: old.hash })
    else draft.effects.push({ ...effect, name })
  }
  if (to.phase.kind === 'failed' && from.phase.kind !== 'failed') {
    draft.effects.push({ kind: 'fatal', name, trouble: troubleOf(to)! })
  }
  draft.members[at] = { ...member, life: to, spec, next: isFree ? null : member.next }
}

/** A birth that is stopped, or is to be that of another, is given up: nothing has begun that would need an end. */
function stepOf(life: Life, event: LifeEvent, now: Ms, policy: LifePolicy): LifeStep {
  if (life.phase.kind !== 'spawning' || !(event.kind === 'stop' || event.kind === 'restart'))
    return step(life, event, now, policy)
  const { life: to, effects } = step({ ...life, want: 'down', phase: { kind: 'down' } }, event, now, policy)
  return { life: to, effects: [{ kind: 'abandon' }, ...effects] }
}

/** Those who have left the configuration are forgotten once they are down, or make room for their heirs. */
export function settle(draft: Draft): void {
  for (const member of [...draft.members]) {
    if (member.farewell === null || !isAtRest(member.life)) continue
    const at = draft.members.indexOf(member)
    const { heir } = member.farewell
    if (heir === null) {
      draft.members.splice(at, 1)
      continue
    }
    draft.members[at] = { ...fresh(draft, heir), manualStop: member.manualStop }
    if (draft.mode === 'running' && !member.manualStop) live(draft, heir.name, { kind: 'start' })
  }
  if (draft.mode !== 'stopping' || !draft.members.every(({ life }) => isAtRest(life))) return
  draft.mode = 'stopped'
  draft.effects.push({ kind: 'emptied' })
}

export const inStartOrder = (members: readonly Companion[]): readonly Companion[] =>
  [...members].sort((one, other) => one.spec.priority - other.spec.priority)

export const inStopOrder = (members: readonly Companion[]): readonly Companion[] => [...inStartOrder(members)].reverse()

/** Whether it waits for somebody to start it. */
export const isManual = (spec: Spec): boolean => spec.autostart === false

function fresh(draft: Draft, spec: Spec): Companion {
  const { value, seed } = draw(draft.seed)
  draft.seed = seed
  return { spec, next: null, life: newLife(Math.floor(value * 2 ** 32)), manualStop: isManual(spec), farewell: null }
}
