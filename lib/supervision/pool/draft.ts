/**
 * A pool while one step works on it: a copy of the pool's own fields, the members copied only when the first of them
 * changes, and the effects so far. It never leaves the step.
 */
import type { Ms } from '../../units.ts'
import type { Effect, Member, Pool, PoolPolicy } from '../pool.ts'
import { keyText } from './key.ts'

export type Draft = { -readonly [K in keyof Pool]: Pool[K] } & {
  readonly original: Pool
  readonly now: Ms
  readonly policy: PoolPolicy
  readonly effects: Effect[]
  /** What is wanted may differ from what is there. */
  unsettled: boolean
}

export const draftOf = (pool: Pool, now: Ms, policy: PoolPolicy): Draft => ({
  ...pool,
  original: pool,
  now,
  policy,
  effects: [],
  unsettled: false,
})

/** The pool as the step leaves it: the same object where nothing has changed. */
export function poolOf(draft: Draft): Pool {
  const { original, now: _now, policy: _policy, effects: _effects, unsettled: _unsettled, ...pool } = draft
  for (const name in pool) if (pool[name as keyof Pool] !== original[name as keyof Pool]) return pool
  return original
}

/** Puts another member in place of that one. */
export function replace(draft: Draft, member: Member, by: Member): Member {
  const at = draft.members.indexOf(member)
  if (at < 0) throw new Error(`worker ${keyText(member.key)} is not in the pool as it was looked up`)
  draft.members = draft.members.with(at, by)
  return by
}
