/**
 * Reaping: who has exited, and what it left behind.
 *
 *   child exits ──► zombie: its number stays taken ──► its group and session are killed ──► reaped: the number is free
 *
 * Between the second and the third step no other process can get the number, so the kill cannot hit a stranger. After
 * the reap it could; hence the order. For a leader of a group all three are made before any JavaScript runs
 * (`Kernel.watchSignals`); for a session, and for children that another process has spawned, here.
 */
import type { Exit, Kernel } from '../kernel/kernel.ts'
import type { Pid } from '../units.ts'

/** What a child was made the leader of when it was spawned (`SpawnPlan.leader`). */
export type Leader = 'session' | 'group' | null

export type Reaped = {
  /** Our own children, in no particular order. */
  readonly exits: readonly Exit[]
  /** Orphans that were adopted (as subreaper or process 1). */
  readonly strangers: readonly Exit[]
  /** A child of `node:child_process` hides what is behind it: look again soon. */
  readonly blocked: boolean
}

/** A member that forks while it is looked for shows up in the next pass; nobody forks faster than it is killed for long. */
const MOST_PASSES = 16

/** Who runs in these sessions: no zombies, not the leaders. */
export type MembersOf = (sessions: ReadonlySet<Pid>) => readonly { readonly pid: Pid; readonly session: Pid }[]

/**
 * Reaps every child that has exited and has not been reaped on sight (`Kernel.watchSignals`). `lastWords` is called for
 * each, so that what it said on its channel is heard before its exit is.
 */
export function reapChildren(
  kernel: Kernel,
  children: ReadonlyMap<Pid, Leader>,
  lastWords: (pid: Pid) => void,
  membersOf: MembersOf,
): Reaped {
  const swept = kernel.takeExits()
  const freed = new Set(swept.map(({ pid }) => pid))
  const pids = [...children.keys()].filter((pid) => !freed.has(pid))
  const gone = kernel.exited(pids)
  for (const pid of [...freed, ...gone]) lastWords(pid)
  const leading = (as: Leader): Pid[] => gone.filter((pid) => children.get(pid) === as)
  for (const pid of leading('group')) kernel.killGroup(pid, 'SIGKILL')
  killSessions(kernel, new Set(leading('session')), membersOf)
  const exits = [...swept, ...(gone.length > 0 ? kernel.reap(gone) : [])]
  const { exits: strangers, blocked } = kernel.reapStrangers(pids)
  return { exits, strangers, blocked }
}

/**
 * Called while the leaders are zombies. A session has groups of its own, which the group kill does not reach; a look at
 * every process of the machine finds them, one for all sessions that ended in this turn.
 */
function killSessions(kernel: Kernel, leaders: ReadonlySet<Pid>, membersOf: MembersOf): void {
  if (leaders.size === 0) return
  for (const leader of leaders) kernel.killGroup(leader, 'SIGKILL')
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const members = membersOf(leaders)
    if (members.length === 0) return
    for (const { pid, session } of members) kernel.killMember(session, pid, 'SIGKILL')
  }
}
