/** How an exec'd worker meets its arbiter: the channel's descriptor from the environment, then `go`. Reads it blocking. */
import { Channel } from '../channel/channel.ts'
import { TO_WORKER } from '../channel/decode.ts'
import { CHANNEL_VARIABLE, type Go, PROTOCOL, type Stay, type ToArbiter, type ToWorker } from '../channel/messages.ts'
import type { WorkerSettings } from '../config/settings.ts'
import type { Kernel, ListenerAddress } from '../kernel/kernel.ts'
import { type Fd, fd } from '../units.ts'

export type WorkerChannel = Channel<ToWorker, ToArbiter>
/** What connects a worker with its arbiter, whoever it will be: the channel, the heartbeat memory, the alarm. */
export type Ends = {
  readonly channel: WorkerChannel
  readonly settings: WorkerSettings
  readonly memory: Fd
  readonly alarm: Fd
  /** Sockets that need not be asked for, by the name of what would be. */
  readonly open: OpenSockets
}
export type OpenSockets = Map<string, { readonly fd: Fd; readonly address: ListenerAddress }>
export type Joined = Ends & { readonly go: Go; readonly listeners: readonly Fd[] }

const isGo = (message: ToWorker): message is Go => message.kind === 'go'
const isFirst = (message: ToWorker): message is Go | Stay => isGo(message) || message.kind === 'stay'

/** Whether this process was started by an arbiter and has not joined it yet. */
export const isCalled = (): boolean => process.env[CHANNEL_VARIABLE] !== undefined

/** Takes the variable out of the environment and the channel into use. A string says why this cannot be a worker. */
export const join = (kernel: Kernel): Joined | string => {
  const number = Number(process.env[CHANNEL_VARIABLE])
  delete process.env[CHANNEL_VARIABLE]
  if (!Number.isInteger(number) || number < 3) return `${CHANNEL_VARIABLE} names no descriptor`
  return joinOn(kernel, fd(number))
}

/**
 * Takes this descriptor for the channel. `stay`: called where the process was forked ahead, and is to wait for its `go`
 * however long that takes.
 */
export const joinOn = (
  kernel: Kernel,
  descriptor: Fd,
  stay: (order: Stay, ends: Ends) => void = () => undefined,
): Joined | string => {
  // Else every program that the app starts would hold the worker's channel.
  kernel.setCloseOnExec(descriptor, true)
  const channel: WorkerChannel = new Channel(kernel, descriptor, TO_WORKER)
  const first = channel.waitFor(isFirst)
  if (first === 'end') return SILENT
  const { message, fds } = first
  const [memory, alarm, ...sockets] = fds as [Fd, Fd, ...Fd[]]
  const { settings } = message
  if (settings === undefined) return 'there are no settings'
  const ends = { channel, settings, memory, alarm }
  if (message.kind === 'go') return joined(kernel, { ...ends, open: new Map() }, message, sockets)
  const open = new Map(message.open.map(({ name, address }, place) => [name, { fd: sockets[place]!, address }]))
  stay(message, { ...ends, open })
  const next = channel.waitFor(isGo)
  return next === 'end' ? SILENT : joined(kernel, { ...ends, open }, next.message, next.fds)
}

const joined = (kernel: Kernel, ends: Ends, go: Go, listeners: readonly Fd[]): Joined | string => {
  if (go.protocol !== PROTOCOL) return `the arbiter speaks protocol ${go.protocol}, this worker ${PROTOCOL}`
  if (go.arbiter !== kernel.getppid()) return 'the arbiter is gone'
  if (listeners.length !== go.listeners.length) return `${listeners.length} of ${go.listeners.length} listeners came`
  return { ...ends, go, listeners }
}

const SILENT = 'the arbiter did not say what to do'
