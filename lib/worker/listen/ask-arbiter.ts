/**
 * Asks the arbiter for a socket, and waits for it: `listen` gives its answer before it returns. What is `open` already is
 * not asked for, once.
 */
import type { ToWorker } from '../../channel/messages.ts'
import { formatAddress } from '../../config/address.ts'
import type { ListenerAddress } from '../../kernel/kernel.ts'
import { ms } from '../../units.ts'
import type { OpenSockets, WorkerChannel } from '../join.ts'
import type { Asked } from './listen.ts'

/** How long the arbiter may take to open a socket. */
const PATIENCE = ms(30_000)

type Answer = Extract<ToWorker, { kind: 'listening' | 'refused' }>

export const asker = (
  channel: WorkerChannel,
  open: OpenSockets,
): ((address: ListenerAddress, backlog: number) => Asked) => {
  let last = 0
  return (address: ListenerAddress, backlog: number): Asked => {
    if (open.size > 0) {
      const name = formatAddress(address)
      const known = open.get(name)
      open.delete(name)
      if (known !== undefined) return { ok: true, ...known }
    }
    const id = ++last
    channel.send({ kind: 'listen', id, address, backlog })
    const answer = channel.wait(
      (message): message is Answer => (message.kind === 'listening' || message.kind === 'refused') && message.id === id,
      PATIENCE,
    )
    if (answer === null || answer === 'end')
      return { ok: false, code: 'ETIMEDOUT', message: 'the arbiter did not answer' }
    if (answer.message.kind === 'refused') return { ok: false, ...answer.message }
    const [fd] = answer.fds
    if (fd === undefined) return { ok: false, code: 'EBADF', message: 'no socket came' }
    return { ok: true, fd, address: answer.message.address }
  }
}
