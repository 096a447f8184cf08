/**
 * What the arbiter knows, as one image of its process hands it to the next (`monocerosctl upgrade`): plain data, and the
 * numbers of descriptors, which stay what they are over an execve.
 */
import { readBlob, writeBlob } from '../../channel/blob.ts'
import type { LoadedConfig } from '../../config/load.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { type Fd, fd } from '../../units.ts'
import { VERSION } from '../../version.ts'
import type { PackedArbiter } from '../arbiter.ts'
import type { PackedHeartbeats } from '../heartbeats.ts'
import type { PackedManager } from '../manager.ts'
import type { PackedMetrics } from '../metrics.ts'
import type { PackedPremises } from '../premises.ts'
import type { Origin } from '../reloader.ts'
import type { Command } from '../succession/command.ts'
import type { Handover } from '../succession/handover.ts'
import type { PackedWorker } from '../workers.ts'

/** A version that speaks another one does not pass its trial. */
export const STATE_PROTOCOL = 1

export type ArbiterState = {
  readonly protocol: number
  readonly version: string
  readonly node: string
  readonly origin: Origin
  readonly command: Command
  readonly loaded: LoadedConfig
  /** Of the clock: when the service was started. */
  readonly started: number
  /** `companionsMark`. */
  readonly mark: string
  readonly listeners: Pick<Handover, 'listeners' | 'activated'>
  readonly arbiter: PackedArbiter
  readonly heartbeats: PackedHeartbeats
  readonly workers: readonly PackedWorker[]
  readonly manager: PackedManager
  readonly metrics: PackedMetrics
  readonly premises: PackedPremises
}

/** The caller closes the descriptor. */
export const writeState = (kernel: Kernel, state: Omit<ArbiterState, 'protocol' | 'version' | 'node'>): Fd =>
  writeBlob(kernel, {
    protocol: STATE_PROTOCOL,
    version: VERSION,
    node: process.version,
    ...state,
  } satisfies ArbiterState)

/** Reads it and closes the descriptor. Throws an error of one line. */
export function readState(kernel: Kernel, memory: Fd): ArbiterState {
  const { protocol, ...state } = readBlob(kernel, memory) as ArbiterState
  if (protocol !== STATE_PROTOCOL)
    throw new Error(
      `version ${state.version} hands its state over in form ${protocol}, ${VERSION} reads ${STATE_PROTOCOL}`,
    )
  return { protocol, ...state }
}

/** Every descriptor that is named in it, those apart that every process has. */
export function descriptorsOf(state: Omit<ArbiterState, 'protocol' | 'version' | 'node'>): readonly Fd[] {
  const { listeners, heartbeats, workers, manager, premises } = state
  const channels = [...workers.map(({ channel }) => channel), ...(manager.channel === null ? [] : [manager.channel])]
  const numbers = [
    ...listeners.listeners.flatMap((one) => one.dealt ?? [one.fd]),
    heartbeats.memory,
    ...workers.map(({ alarm }) => alarm),
    ...channels.flatMap((channel) => [channel.fd, ...channel.queue.flatMap(({ fds }) => fds)]),
    manager.sessions,
    manager.page,
    ...(premises.pidfile === null ? [] : [premises.pidfile.fd]),
    ...(premises.control === null ? [] : [premises.control.listener, premises.control.lock]),
  ]
  return numbers.map((number) => fd(number))
}
