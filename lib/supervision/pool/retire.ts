/**
 * Retirement: a worker that asks to be replaced (`maxRequests`) goes on serving until its relief is good. Only a few are
 * relieved at a time, in the order of asking, and none while a reload runs, which replaces them anyway.
 */
import { pidOf } from '../life.ts'
import type { Member } from '../pool.ts'
import { type Draft, replace } from './draft.ts'
import { add, bySlot, dismiss, hasRoom, isUp, ofRole, promote } from './members.ts'

export function relieve(draft: Draft): void {
  const reliefs = bySlot(draft, 'relief')
  for (const holder of ofRole(draft, 'holder')) {
    if (holder.retiring !== null) settleOne(draft, holder, reliefs[holder.key.slot])
  }
  if (draft.reload !== null) return
  const asking = ofRole(draft, 'holder')
    .filter(({ key, retiring }) => retiring !== null && reliefs[key.slot] === undefined)
    .sort((one, other) => one.retiring!.since - other.retiring!.since)
  const places = Math.max(1, draft.policy.retireAtOnce) - ofRole(draft, 'relief').length
  for (const { key } of asking.slice(0, Math.max(0, places))) {
    if (hasRoom(draft, 1)) add(draft, key.slot, key.generation, 'relief')
  }
}

/** One whose process died before it was relieved is retired already: its relief, or its next process, is the new one. */
function settleOne(draft: Draft, holder: Member, relief: Member | undefined): void {
  const isGone = pidOf(holder.life) !== holder.retiring!.pid
  if (relief === undefined) {
    if (isGone) replace(draft, holder, { ...holder, retiring: null })
  } else if (isGone || isUp(relief)) {
    promote(draft, relief)
    dismiss(draft, holder, 'stop')
  }
}
