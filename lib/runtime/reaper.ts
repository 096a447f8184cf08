/**
 * Reaping: who has exited, and what it left behind.
 *
 *   child exits ──► zombie: its number stays taken ──► its group and session are killed ──► reaped: the number is free
 *
 * Between the second and the third step no other process can get the number, so the kill cannot hit a stranger. After
 * the reap it could; hence the order.
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

/**
 * Reaps every child that has exited. `lastWords` is called for each before it is reaped, so that what it said on its
 * channel is heard before its exit is. `sessionOf` lists the members
 * of a session that still run: no zombies, not the leader.
 */
export function reapChildren(
  kernel: Kernel,
  children: ReadonlyMap<Pid, Leader>,
  lastWords: (pid: Pid) => void,
  sessionOf: (session: Pid) => readonly Pid[],
): Reaped {
  const pids = [...children.keys()]
  const gone = kernel.exited(pids)
  for (const pid of gone) {
    lastWords(pid)
    killWhatIsLeft(kernel, pid, children.get(pid) ?? null, sessionOf)
  }
  const exits = gone.length > 0 ? kernel.reap(gone) : []
  const { exits: strangers, blocked } = kernel.reapStrangers(pids)
  return { exits, strangers, blocked }
}

/** Called while the leader is a zombie. A session has groups of its own, which the group kill does not reach. */
function killWhatIsLeft(kernel: Kernel, leader: Pid, leads: Leader, sessionOf: (session: Pid) => readonly Pid[]): void {
  if (leads === null) return
  kernel.killGroup(leader, 'SIGKILL')
  if (leads !== 'session') return
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const members = sessionOf(leader)
    if (members.length === 0) return
    for (const member of members) kernel.killMember(leader, member, 'SIGKILL')
  }
}
