/** How an exec'd worker meets its arbiter: the channel's descriptor from the environment, then `go`. Reads it blocking. */
import { Channel } from '../channel/channel.ts'
import { TO_WORKER } from '../channel/decode.ts'
import { CHANNEL_VARIABLE, type Go, PROTOCOL, type Stay, type ToArbiter, type ToWorker } from '../channel/messages.ts'
import type { WorkerSettings } from '../config/settings.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Fd, fd, ms } from '../units.ts'
import { type Ahead, prepareAhead } from './ahead.ts'

/** How long the arbiter may take to say `go`. It says it right after the spawn. */
const PATIENCE = ms(30_000)

export type WorkerChannel = Channel<ToWorker, ToArbiter>
export type Joined = {
  readonly channel: WorkerChannel
  readonly go: Go
  readonly settings: WorkerSettings
  /** The heartbeat memory, the alarm, the listeners. */
  readonly fds: readonly Fd[]
  /** What was done already, in a process that was forked ahead. */
  readonly ahead: Ahead | null
}

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
  stay: (order: Stay) => void = () => undefined,
): Joined | string => {
  // Else every program that the app starts would hold the worker's channel.
  kernel.setCloseOnExec(descriptor, true)
  const channel: WorkerChannel = new Channel(kernel, descriptor, TO_WORKER)
  const first = channel.wait(isFirst, PATIENCE)
  if (first === null || first === 'end') return SILENT
  const { message, fds } = first
  if (message.kind === 'go') return joined(kernel, channel, message, message.settings, fds)
  stay(message)
  const [memory, alarm] = fds as [Fd, Fd]
  const ahead = prepareAhead(kernel, message.settings, memory, alarm)
  for (;;) {
    const next = channel.wait(isGo, PATIENCE)
    if (next === 'end') return SILENT
    if (next !== null)
      return joined(kernel, channel, next.message, message.settings, [memory, alarm, ...next.fds], ahead)
  }
}

const joined = (
  kernel: Kernel,
  channel: WorkerChannel,
  go: Go,
  settings: WorkerSettings | undefined,
  fds: readonly Fd[],
  ahead: Ahead | null = null,
): Joined | string => {
  if (go.protocol !== PROTOCOL) return `the arbiter speaks protocol ${go.protocol}, this worker ${PROTOCOL}`
  if (go.arbiter !== kernel.getppid()) return 'the arbiter is gone'
  if (settings === undefined) return 'there are no settings'
  if (fds.length !== go.listeners.length + 2)
    return `${fds.length} descriptors came where ${go.listeners.length + 2} belong`
  return { channel, go, settings, fds, ahead }
}

const SILENT = 'the arbiter did not say what to do'
