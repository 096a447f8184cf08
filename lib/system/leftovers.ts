/**
 * Killing what a dead manager has left: every process of the sessions it had noted.
 *
 * A number alone is not a name: the kernel gives it again. While anything of a session lives its id cannot be given to
 * another process, and a leader that is alive shows its start time. So: a living leader with another start time means
 * that the session ended and its number was given to a stranger, who is spared; and a member that started before the
 * noted leader cannot be of that session.
 */
import type { Session } from '../channel/sessions.ts'
import type { Signal } from '../kernel/kernel.ts'
import type { Pid } from '../units.ts'
import { type ProcessStat, processStat, runningProcesses } from './processes.ts'

/** Sends a signal to a member of a session; false where there is no such process. `Kernel.killMember` is one. */
export type Kill = (session: Pid, member: Pid, signal: Signal) => boolean

/**
 * One pass: kills every running process of these sessions and says which it found. A process needs a moment to die
 * and may fork before it does: call again, in a later turn, until nothing is found. Reads /proc, and does not wait.
 */
export function killLeftovers(sessions: readonly Session[], kill: Kill, proc = '/proc'): Pid[] {
  const found = leftovers(sessions, proc)
  for (const one of found) kill(one.session, one.pid, 'SIGKILL')
  return found.map((one) => one.pid)
}

/** The running processes of these sessions. */
export function leftovers(sessions: readonly Session[], proc = '/proc'): ProcessStat[] {
  if (sessions.length === 0) return []
  const starts = new Map(sessions.map((session) => [session.id, session.start]))
  for (const [id, start] of starts) {
    const leader = processStat(id, proc)
    if (leader !== null && leader.start !== start) starts.delete(id)
  }
  return runningProcesses(proc).filter((one) => {
    const start = starts.get(one.session)
    return start !== undefined && one.start >= start
  })
}
