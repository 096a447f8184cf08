/**
 * Asks the arbiter for a socket, or gives one back, and waits for the answer: `listen` and `close` have done what they say
 * when they return.
 */
import type { ToWorker } from '../../channel/messages.ts'
import { formatAddress } from '../../config/address.ts'
import type { ListenerAddress } from '../../kernel/kernel.ts'
import { ms } from '../../units.ts'
import type { OpenSockets, WorkerChannel } from '../join.ts'
import type { Asked } from './listen.ts'

/** How long the arbiter may take to open a socket. */
const PATIENCE = ms(30_000)
/** How long it may take to close one: the app can do without. */
const PATIENCE_FOR_CLOSING = ms(1_000)

type Answer = Extract<ToWorker, { kind: 'listening' | 'refused' }>
type Closed = Extract<ToWorker, { kind: 'unlistened' }>

/** What is `open` already is not asked for, once. */
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

export const giver = (channel: WorkerChannel): ((address: ListenerAddress) => void) => {
  let last = 0
  return (address) => {
    const id = ++last
    channel.send({ kind: 'unlisten', id, address })
    const isIt = (message: ToWorker): message is Closed => message.kind === 'unlistened' && message.id === id
    channel.wait(isIt, PATIENCE_FOR_CLOSING)
  }
}
