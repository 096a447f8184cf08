/** How an exec'd worker meets its arbiter: the channel's descriptor from the environment, then `go`. Reads it blocking. */
import { Channel } from '../channel/channel.ts'
import { TO_WORKER } from '../channel/decode.ts'
import { CHANNEL_VARIABLE, type Go, PROTOCOL, type ToArbiter, type ToWorker } from '../channel/messages.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Fd, fd, ms } from '../units.ts'

/** How long the arbiter may take to say `go`. It says it right after the spawn. */
const PATIENCE = ms(30_000)

export type WorkerChannel = Channel<ToWorker, ToArbiter>
export type Joined = { readonly channel: WorkerChannel; readonly go: Go; readonly fds: readonly Fd[] }

/** Whether this process was started by an arbiter and has not joined it yet. */
export const isCalled = (): boolean => process.env[CHANNEL_VARIABLE] !== undefined

/** Takes the variable out of the environment and the channel into use. A string says why this cannot be a worker. */
export const join = (kernel: Kernel): Joined | string => {
  const number = Number(process.env[CHANNEL_VARIABLE])
  delete process.env[CHANNEL_VARIABLE]
  if (!Number.isInteger(number) || number < 3) return `${CHANNEL_VARIABLE} names no descriptor`
  return joinOn(kernel, fd(number))
}

/** Takes this descriptor for the channel. */
export const joinOn = (kernel: Kernel, descriptor: Fd): Joined | string => {
  // Else every program that the app starts would hold the worker's channel.
  kernel.setCloseOnExec(descriptor, true)
  const channel: WorkerChannel = new Channel(kernel, descriptor, TO_WORKER)
  const first = channel.wait((message): message is Go => message.kind === 'go', PATIENCE)
  if (first === null || first === 'end') return 'the arbiter did not say what to do'
  const { message: go, fds } = first
  if (go.protocol !== PROTOCOL) return `the arbiter speaks protocol ${go.protocol}, this worker ${PROTOCOL}`
  if (go.arbiter !== kernel.getppid()) return 'the arbiter is gone'
  if (fds.length !== go.listeners.length + 2)
    return `${fds.length} descriptors came where ${go.listeners.length + 2} belong`
  return { channel, go, fds }
}
