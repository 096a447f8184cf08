/** Whether processes live. */
import { readFileSync } from 'node:fs'

/** A zombie is dead: who reaps an orphan, and when, is the business of the machine's process 1. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}
