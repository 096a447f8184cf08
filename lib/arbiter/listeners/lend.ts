/**
 * With `reusePort` each slot has listeners of its own, and the kernel goes on dealing connections to them while the slot
 * has no worker: it boots, waits after a crash, or is gone since there are fewer slots. Closing such a listener would reset
 * what is queued in it; so another worker accepts on it until the slot's own one does.
 */

import type { Worker, Workers } from '../workers.ts'
import type { Listeners } from './listeners.ts'

/** `accepting`: by slot, who accepts now. Those with the fewest borrowed slots come first. */
export function lend(accepting: ReadonlyMap<number, Worker>, workers: Workers, listeners: Listeners): void {
  const { slots } = listeners
  if (slots === 0) return
  const serving = [...accepting.values()]
  const lent = new Set<number>()
  for (const worker of serving) {
    for (const slot of worker.lent) {
      if (accepting.has(slot)) {
        worker.lent.delete(slot)
        workers.tell(worker.pid, { kind: 'return', slot })
      } else lent.add(slot)
    }
  }
  for (let slot = 0; slot < slots && serving.length > 0; slot++) {
    if (accepting.has(slot) || lent.has(slot)) continue
    const worker = serving.reduce((least, other) => (other.lent.size < least.lent.size ? other : least))
    const own = listeners.ofSlot(slot)
    worker.lent.add(slot)
    const fds = own.map(({ fd }) => fd)
    workers.tell(worker.pid, { kind: 'lend', slot, listeners: own.map(({ address }) => address) }, fds)
  }
}
