/**
 * What /proc tells of processes. Any of them may end, and close what it has open, between two looks: who is gone has
 * nothing, and is no error.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export type Descriptor = { readonly fd: number; readonly target: string }

/** A zombie is dead: who reaps an orphan, and when, is the business of the machine's process 1. */
export const isAlive = (pid: number): boolean => !['', 'Z', 'X'].includes(stateOf(pid))

/** R, S, D, T, Z and so on, proc_pid_stat(5); empty when it is gone. */
export const stateOf = (pid: number): string => /.*\) (\w)/s.exec(entryOf(pid, 'stat'))?.[1] ?? ''

/** Children that have not been reaped, zombies included. */
export const childrenOf = (pid: number): number[] =>
  entryOf(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number)

/** Its children, theirs, and so on. */
export const descendantsOf = (pid: number): number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])

/** What it has open, in the order of the numbers. */
export function descriptorsOf(pid: number): Descriptor[] {
  return orElse([], () => readdirSync(`/proc/${pid}/fd`)).flatMap((fd) =>
    orElse([], () => [{ fd: Number(fd), target: readlinkSync(`/proc/${pid}/fd/${fd}`) }]),
  )
}

/** What its descriptors are: paths, `socket:[inode]` and the like. */
export const targetsOf = (pid: number): string[] => descriptorsOf(pid).map(({ target }) => target)

/** A file of its folder in /proc: `entryOf(pid, 'status')`. */
export const entryOf = (pid: number, name: string): string =>
  orElse('', () => readFileSync(`/proc/${pid}/${name}`, 'latin1'))

function orElse<T>(nothing: T, look: () => T): T {
  try {
    return look()
  } catch (error) {
    // A process of ours that is ending has no memory any more, and what it has in /proc is root's then.
    if (!['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code!)) throw error
    return nothing
  }
}
