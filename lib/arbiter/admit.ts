/** Who may accept connections. Everything follows from the pool's state, so nobody can be forgotten. */
import type { Pool } from '../supervision/pool.ts'
import type { Worker, Workers } from './workers.ts'

/** Lets every holder accept that is good, or for that only has to stay up for a while. Who accepts now, by slot. */
export function admit({ members }: Pool, workers: Workers): ReadonlyMap<number, Worker> {
  const accepting = new Map<number, Worker>()
  for (const { key, role, life } of members) {
    const { phase } = life
    if (role !== 'holder') continue
    const isServing = phase.kind === 'up' || (phase.kind === 'proving' && phase.passed)
    const worker = isServing ? workers.get(phase.child.pid) : undefined
    if (worker === undefined) continue
    workers.admit(worker)
    accepting.set(key.slot, worker)
  }
  return accepting
}
