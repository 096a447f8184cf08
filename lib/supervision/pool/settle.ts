/**
 * Settling: compares what is wanted with what is there. Everything follows from the state, not from the event that came.
 */
import { isAtRest } from '../life.ts'
import type { Draft } from './draft.ts'
import { add, bySlot, hasRoom, isUp, ofRole } from './members.ts'
import { advance, putAway } from './reload.ts'
import { relieve } from './retire.ts'
import { judgeBoot } from './verdict.ts'

export function settle(draft: Draft): void {
  forgetGone(draft)
  if (draft.mode === 'running') {
    putAway(
      draft,
      draft.members.filter(({ key, role }) => key.slot >= draft.size && role !== 'going'),
      'stop',
    )
    forgetGone(draft)
    advance(draft)
    relieve(draft)
    if (draft.reload === null) fill(draft)
    greet(draft)
    halt(draft)
  }
  forgetGone(draft)
  if (draft.mode === 'stopping' && draft.members.length === 0) {
    draft.mode = 'stopped'
    draft.effects.push({ kind: 'emptied' })
  }
  if (draft.mode === 'drained' && draft.members.length === 0 && draft.greeting === 'drained') {
    draft.greeting = null
    draft.effects.push({ kind: 'drained' })
  }
  draft.unsettled = false
}

/** Those who were told to go and have gone. */
function forgetGone(draft: Draft): void {
  const isGone = ({ role, life }: Draft['members'][number]) => role === 'going' && isAtRest(life)
  if (!draft.members.some(isGone)) return
  draft.members = draft.members.filter((member) => !isGone(member))
}

/** Every slot gets a holder. While a reload runs, new slots are left to it. */
function fill(draft: Draft): void {
  const holders = bySlot(draft, 'holder')
  for (let slot = 0; slot < draft.size; slot++) {
    if (holders[slot] === undefined && hasRoom(draft, 0)) add(draft, slot, draft.generation, 'holder')
  }
}

function greet(draft: Draft): void {
  if (draft.greeting === null || draft.greeting === 'drained' || draft.reload !== null) return
  const holders = ofRole(draft, 'holder')
  if (holders.length < draft.size || !holders.every(isUp)) return
  draft.effects.push({ kind: draft.greeting, generation: draft.generation })
  draft.greeting = null
}

function halt(draft: Draft): void {
  const verdict = judgeBoot(draft)
  if (verdict === null) return
  draft.effects.push({ kind: 'halted', ...verdict })
  draft.mode = 'stopping'
  draft.greeting = null
  putAway(draft, draft.members, 'quick')
}
