/**
 * The cells of the table of `pool.ts`: what a command changes of what is wanted. `settle` does the rest.
 */
import { pidOf } from '../life.ts'
import type { On } from '../pool.ts'
import type { Draft } from './draft.ts'
import { sameKey } from './key.ts'
import { markRetiring } from './members.ts'
import { endReload, putAway } from './reload.ts'

export function none(): void {}

export function begin(draft: Draft): void {
  draft.mode = 'running'
  draft.generation = ++draft.latest
  draft.greeting = 'started'
}

/** A reload of a pool that has no workers: nothing is there to fall back on. */
export function beginAnew(draft: Draft): void {
  begin(draft)
  draft.greeting = 'reloaded'
  draft.effects.push({ kind: 'reloading', generation: draft.generation })
}

export function resize(draft: Draft, { to }: On<'scale'>): void {
  draft.size = Math.min(Math.max(1, Math.trunc(to)), draft.policy.largest)
}

export const resizeBy = (draft: Draft, { by }: On<'scaleBy'>): void =>
  resize(draft, { kind: 'scale', to: draft.size + by })

export function refill(draft: Draft, event: On<'scale'>): void {
  if (event.to < 1) return
  resize(draft, event)
  begin(draft)
}

/** Drained is as good as a size of 0. */
export const refillBy = (draft: Draft, { by }: On<'scaleBy'>): void => refill(draft, { kind: 'scale', to: by })

export function reload(draft: Draft): void {
  const generation = ++draft.latest
  endReload(draft, { kind: 'superseded', by: generation })
  draft.reload = { generation, batch: [] }
  draft.effects.push({ kind: 'reloading', generation })
}

export function refuse(draft: Draft): void {
  const generation = ++draft.latest
  draft.effects.push({ kind: 'reloading', generation })
  draft.effects.push({ kind: 'reloadFailed', generation, trouble: { kind: 'stopped' } })
}

/** Also while stopping: a quick stop after a graceful one hurries; the other way round nothing changes. */
export function stop(draft: Draft, { how }: On<'stop'>): void {
  endReload(draft, { kind: 'stopped' })
  draft.mode = 'stopping'
  draft.greeting = null
  putAway(draft, draft.members, how === 'quick' ? 'quick' : 'stop')
}

export function drain(draft: Draft): void {
  endReload(draft, { kind: 'stopped' })
  draft.mode = 'drained'
  draft.greeting = 'drained'
  putAway(draft, draft.members, 'stop')
}

export function retire(draft: Draft, { key }: On<'retire'>): void {
  const member = draft.members.find((other) => sameKey(other.key, key))
  if (member === undefined || member.role === 'going' || member.retiring !== null) return
  const pid = pidOf(member.life)
  if (pid !== null && member.life.phase.kind !== 'leaving') markRetiring(draft, member, pid)
}
