/**
 * Settling: compares what is wanted with what is there. Everything follows from the state, not from the event that came.
 */
import { isAtRest } from '../life.ts'
import type { Draft } from './draft.ts'
import { add, bySlot, hasRoom, isUp, ofRole } from './members.ts'
import { advance, putAway } from './reload.ts'
import { relieve } from './retire.ts'
import { judgeBoot } from './verdict.ts'

/** Until nothing moves any more: one who leaves makes room for another. */
export function settle(draft: Draft): void {
  while (draft.unsettled) {
    draft.unsettled = false
    forgetGone(draft)
    if (draft.mode === 'running') run(draft)
  }
  if (draft.members.length > 0) return
  if (draft.mode === 'stopping') {
    draft.mode = 'stopped'
    draft.effects.push({ kind: 'emptied' })
  } else if (draft.mode === 'drained' && draft.greeting === 'drained') {
    draft.greeting = null
    draft.effects.push({ kind: 'drained' })
  }
}

function run(draft: Draft): void {
  const surplus = draft.members.filter(({ key, role }) => key.slot >= draft.size && role !== 'going')
  putAway(draft, surplus, 'stop')
  advance(draft)
  relieve(draft)
  if (draft.reload === null) fill(draft)
  greet(draft)
  halt(draft)
}

/** Those who were told to go and have gone. */
function forgetGone(draft: Draft): void {
  const isGone = ({ role, life }: Draft['members'][number]) => role === 'going' && isAtRest(life)
  if (!draft.members.some(isGone)) return
  draft.members = draft.members.filter((member) => !isGone(member))
  draft.unsettled = true
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
