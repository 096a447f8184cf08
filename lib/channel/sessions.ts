/**
 * The sessions that live under the manager, in memory that the arbiter made and shares with it: when the manager is
 * killed, its companions' processes must be found and killed by somebody who did not start them.
 *
 * The memory is pairs of 64-bit floats: a session's id (0: the pair is free) and the start time of its leader in clock
 * ticks since boot. The manager may die between any two stores, so the order of stores matters: a start time stands
 * before its id does, and the id goes first. The arbiter believes nothing: a number that is no pid is skipped.
 */
import { type Pid, pid } from '../units.ts'

/** A session and when its leader started (`ProcessStat.start`). The leader may be gone while members live. */
export type Session = { readonly id: Pid; readonly start: number }

/** As many sessions as can be noted: more companions than this are refused by the configuration. */
export const SESSIONS = 4096
export const SESSIONS_BYTES = SESSIONS * 2 * Float64Array.BYTES_PER_ELEMENT

/** The largest pid that Linux gives (PID_MAX_LIMIT, proc_sys_kernel(5)). */
const LARGEST_PID = 4_194_304

/** Notes a session. False when the memory is full. Noting the same id again replaces its start time. */
export function noteSession(memory: ArrayBuffer, session: Session): boolean {
  const pairs = new Float64Array(memory)
  forgetSession(memory, session.id)
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    if (pairs[at] !== 0) continue
    pairs[at + 1] = session.start
    pairs[at] = session.id
    return true
  }
  return false
}

/** Takes a session out, when nothing of it is left. */
export function forgetSession(memory: ArrayBuffer, id: Pid): void {
  const pairs = new Float64Array(memory)
  for (let at = 0; at + 1 < pairs.length; at += 2) if (pairs[at] === id) pairs[at] = 0
}

/** What is noted, without what cannot be true. */
export function notedSessions(memory: ArrayBuffer): Session[] {
  const pairs = new Float64Array(memory)
  const found: Session[] = []
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const id = pairs[at]!
    const start = pairs[at + 1]!
    const possible = Number.isInteger(id) && id > 1 && id <= LARGEST_PID && Number.isInteger(start) && start >= 0
    if (possible) found.push({ id: pid(id), start })
  }
  return found
}

/** Forgets all of them: the arbiter's, once the leftovers of a dead manager are gone. */
export function clearSessions(memory: ArrayBuffer): void {
  new Float64Array(memory).fill(0)
}
