/** Who may accept connections. Everything follows from the pool's state, so nobody can be forgotten. */
import type { Pool } from '../supervision/pool.ts'
import type { Workers } from './workers.ts'

/** Lets every holder accept that is good, or for that only has to stay up for a while. */
export function admit({ members }: Pool, workers: Workers): void {
  for (const { role, life } of members) {
    const { phase } = life
    if (role !== 'holder') continue
    if (phase.kind === 'up' || (phase.kind === 'proving' && phase.passed)) workers.admit(phase.child.pid)
  }
}
