/**
 * A reload, batch by batch: candidates boot beside the holders of their slots; when all of the batch are good, they take
 * over and the old ones drain; then the next batch. If one of them fails before that, the candidates are put away and
 * the holders stay, those of earlier batches included: they are good, and what was before them is gone.
 */
import { troubleOf } from '../life.ts'
import type { Member, ReloadTrouble } from '../pool.ts'
import type { Trouble } from '../trouble.ts'
import type { Draft } from './draft.ts'
import { add, bySlot, dismiss, hasRoom, isUp, ofRole, promote } from './members.ts'

/** Carries the reload on as far as it goes now. */
export function advance(draft: Draft): void {
  while (draft.reload !== null) {
    const failed = ofRole(draft, 'candidate').find(hasStumbled)
    if (failed !== undefined) {
      endReload(draft, troubleOf(failed.life) ?? GONE)
      return
    }
    const batch = draft.reload.batch.filter((slot) => slot < draft.size)
    if (batch.length > 0) {
      boot(draft, batch, draft.reload.generation)
      const candidates = bySlot(draft, 'candidate')
      if (!batch.every((slot) => isGood(candidates[slot]))) return
      takeOver(draft, batch)
      draft.reload = { ...draft.reload, batch: [] }
    } else if (!openBatch(draft, draft.reload.generation)) return
  }
}

/** Ends a reload that did not succeed; without one, a generation that nobody has been told about yet. */
export function endReload(draft: Draft, trouble: ReloadTrouble): void {
  if (draft.greeting === 'reloaded') {
    draft.effects.push({ kind: 'reloadFailed', generation: draft.generation, trouble })
    draft.greeting = null
  }
  if (draft.reload === null) return
  draft.effects.push({ kind: 'reloadFailed', generation: draft.reload.generation, trouble })
  draft.reload = null
  putAway(draft, ofRole(draft, 'candidate'), 'stop')
}

export function putAway(draft: Draft, members: readonly Member[], how: 'stop' | 'quick'): void {
  for (const member of members) dismiss(draft, member, how)
}

/** A candidate that ended as it should is no candidate either. */
const GONE: Trouble = {
  kind: 'exited',
  exit: { code: 0, signal: null, core: false },
  fault: null,
}

/** It failed, whatever its life makes of that. */
const hasStumbled = ({ life }: Member): boolean => troubleOf(life) !== null || life.exits > 0

const isGood = (member: Member | undefined): boolean => member !== undefined && isUp(member)

function boot(draft: Draft, batch: readonly number[], generation: number): void {
  const candidates = bySlot(draft, 'candidate')
  for (const slot of batch) {
    if (candidates[slot] === undefined && hasRoom(draft, batch.length)) add(draft, slot, generation, 'candidate')
  }
}

function takeOver(draft: Draft, batch: readonly number[]): void {
  const slots = new Set(batch)
  for (const member of draft.members) {
    if (!slots.has(member.key.slot) || member.role === 'going') continue
    if (member.role === 'candidate') promote(draft, member)
    else dismiss(draft, member, 'stop')
  }
}

/** Finds the next slots; without any the reload is done. False: it has to wait. */
function openBatch(draft: Draft, generation: number): boolean {
  const { reloadStep, most } = draft.policy
  if (reloadStep !== null && ofRole(draft, 'going').some(({ key }) => key.generation < generation)) return false
  const holders = bySlot(draft, 'holder')
  const open: number[] = []
  for (let slot = 0; slot < draft.size; slot++) {
    if (holders[slot]?.key.generation !== generation) open.push(slot)
  }
  if (open.length === 0) {
    draft.generation = generation
    draft.reload = null
    draft.effects.push({ kind: 'reloaded', generation })
  } else {
    const atOnce = Math.max(1, Math.min(reloadStep ?? draft.size, most - draft.size))
    draft.reload = { generation, batch: open.slice(0, atOnce) }
  }
  return true
}
