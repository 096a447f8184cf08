/**
 * Opens what the app asks to listen on, or shares it; a failure becomes the app's own `error` event. Closes what it gives
 * back.
 */
import type { ToArbiter } from '../../channel/messages.ts'
import type { KernelError } from '../../kernel/kernel.ts'
import type { Report } from '../report.ts'
import type { Worker, Workers } from '../workers.ts'
import type { Listeners } from './listeners.ts'

export function answerListen(
  { workers, listeners, report }: { workers: Workers; listeners: Listeners; report: Report },
  { pid, key, generation }: Worker,
  { id, address, backlog }: Extract<ToArbiter, { kind: 'listen' }>,
  isStopping: boolean,
): void {
  try {
    if (isStopping) throw Object.assign(new Error('the arbiter is stopping'), { code: 'ECANCELED' })
    const isNew = !listeners.has(address)
    // An app that runs as somebody else must not get from us what that user could not have.
    const rights = generation.program.identity ?? null
    const listener = listeners.claim(address, { backlog, reusePort: generation.config.reusePort }, rights, pid)
    if (isNew) report.listening(listener.address)
    const { fd } = listeners.forSlot(listener, key.slot)
    workers.tell(pid, { kind: 'listening', id, address: listener.address }, [fd])
  } catch (error) {
    const { code, message } = error as KernelError
    report.refusedToListen(address, message)
    workers.tell(pid, { kind: 'refused', id, code, message })
  }
}

export function answerUnlisten(
  { workers, listeners, report }: { workers: Workers; listeners: Listeners; report: Report },
  { pid }: Worker,
  { id, address }: Extract<ToArbiter, { kind: 'unlisten' }>,
): void {
  if (listeners.release(address, pid)) report.unlistened(address)
  workers.tell(pid, { kind: 'unlistened', id })
}
