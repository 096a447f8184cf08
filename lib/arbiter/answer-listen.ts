/** Opens what the app asks to listen on, or shares it; a failure becomes the app's own `error` event. */
import type { ToArbiter } from '../channel/messages.ts'
import type { KernelError } from '../kernel/kernel.ts'
import type { Listeners } from './listeners.ts'
import type { Report } from './report.ts'
import type { Worker, Workers } from './workers.ts'

export function answerListen(
  { workers, listeners, report }: { workers: Workers; listeners: Listeners; report: Report },
  { pid, key, generation }: Worker,
  { id, address, backlog }: Extract<ToArbiter, { kind: 'listen' }>,
  isStopping: boolean,
): void {
  try {
    if (isStopping) throw Object.assign(new Error('the arbiter is stopping'), { code: 'ECANCELED' })
    const isNew = !listeners.has(address)
    const { uid, gid } = generation.program.identity ?? {}
    const owned = address.kind === 'unix' && uid !== undefined ? { ...address, uid, gid: gid! } : address
    const listener = listeners.open(owned, { backlog, reusePort: generation.config.reusePort })
    if (isNew) report.listening(listener.address)
    const { fd } = listeners.forSlot(listener, key.slot)
    workers.tell(pid, { kind: 'listening', id, address: listener.address }, [fd])
  } catch (error) {
    const { code, message } = error as KernelError
    report.refusedToListen(address, message)
    workers.tell(pid, { kind: 'refused', id, code, message })
  }
}
