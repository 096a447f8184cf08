/**
 * A pool while one step works on it: a copy of the pool's own fields, the members copied only when the first of them
 * changes, and the effects so far. It never leaves the step.
 */
import type { Ms } from '../../units.ts'
import type { Effect, Member, Pool, PoolPolicy } from '../pool.ts'
import { keyText } from './key.ts'

export type Draft = { -readonly [K in keyof Pool]: Pool[K] } & {
  /** Changed in place once it is not the original's any more. */
  members: Member[]
  readonly original: Pool
  readonly now: Ms
  readonly policy: PoolPolicy
  readonly effects: Effect[]
  /** What is wanted may differ from what is there. */
  unsettled: boolean
}

export const draftOf = (pool: Pool, now: Ms, policy: PoolPolicy): Draft => ({
  mode: pool.mode,
  size: pool.size,
  generation: pool.generation,
  latest: pool.latest,
  reload: pool.reload,
  members: pool.members as Member[],
  proven: pool.proven,
  greeting: pool.greeting,
  seed: pool.seed,
  original: pool,
  now,
  policy,
  effects: [],
  unsettled: false,
})

/** The pool as the step leaves it: the same object where nothing has changed. */
export function poolOf(draft: Draft): Pool {
  const { original, mode, size, generation, latest, reload, members, proven, greeting, seed } = draft
  const isSame =
    members === original.members &&
    mode === original.mode &&
    size === original.size &&
    latest === original.latest &&
    generation === original.generation &&
    reload === original.reload &&
    greeting === original.greeting
  return isSame ? original : { mode, size, generation, latest, reload, members, proven, greeting, seed }
}

/** The members, to be changed in place. */
function owned(draft: Draft): Member[] {
  if (draft.members === draft.original.members) draft.members = draft.members.slice()
  return draft.members
}

/** Puts another member in place of that one. */
export function replace(draft: Draft, member: Member, by: Member): Member {
  const at = draft.members.indexOf(member)
  if (at < 0) throw new Error(`worker ${keyText(member.key)} is not in the pool as it was looked up`)
  owned(draft)[at] = by
  return by
}

export function append(draft: Draft, member: Member): void {
  owned(draft).push(member)
}
