/**
 * What the arbiter knows, as one image of its process hands it to the next (`monocerosctl upgrade`): plain data, and the
 * numbers of descriptors, which stay what they are over an execve.
 */
import { readBlob, writeBlob } from '../../channel/blob.ts'
import { CELLS, COLUMNS } from '../../channel/heartbeat.ts'
import { MANAGER_PROTOCOL } from '../../channel/manager-messages.ts'
import { PROTOCOL } from '../../channel/messages.ts'
import type { LoadedConfig } from '../../config/load.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { OpenFiles } from '../../system/open-files.ts'
import { type Fd, fd } from '../../units.ts'
import { VERSION } from '../../version.ts'
import type { PackedArbiter } from '../arbiter.ts'
import type { Origin } from '../generations/reloader.ts'
import type { PackedHeartbeats } from '../heartbeats.ts'
import type { HookCall } from '../hooks/calls.ts'
import type { PackedManager } from '../manager/manager.ts'
import type { PackedMetrics } from '../metrics/metrics.ts'
import type { PackedOutputs } from '../outputs.ts'
import type { PackedPremises } from '../premises.ts'
import type { Command } from '../succession/command.ts'
import type { Handover } from '../succession/handover.ts'
import type { PackedTickets } from '../tickets.ts'
import type { PackedWorker } from '../workers.ts'

/** To be counted up with every change of what stands in `ArbiterState`. */
const STATE_PROTOCOL = 4

/**
 * In which form everything is handed over: the state, the channels to workers and manager that go on with what was said
 * before, and the memory that workers have mapped. A version that has another one does not pass its trial.
 */
const FORM = [STATE_PROTOCOL, PROTOCOL, MANAGER_PROTOCOL, COLUMNS, CELLS].join('.')

export type ArbiterState = {
  readonly form: string
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
  readonly outputs: PackedOutputs
  /** Hooks that have not been called yet. */
  readonly hooks: readonly HookCall[]
  readonly tickets: PackedTickets
  /** The limit of open files that we were started with. */
  readonly openFiles: OpenFiles | null
}

/** The caller closes the descriptor. */
export const writeState = (kernel: Kernel, state: Omit<ArbiterState, 'form' | 'version' | 'node'>): Fd =>
  writeBlob(kernel, {
    form: FORM,
    version: VERSION,
    node: process.version,
    ...state,
  } satisfies ArbiterState)

/** Reads it and closes the descriptor. Throws an error of one line. */
export function readState(kernel: Kernel, memory: Fd): ArbiterState {
  const state = readBlob(kernel, memory) as ArbiterState
  if (state.form !== FORM)
    throw new Error(`version ${state.version} hands its state over in form ${state.form}, ${VERSION} reads ${FORM}`)
  return state
}

/** Every descriptor that is named in it, those apart that every process has. */
export function descriptorsOf(state: Omit<ArbiterState, 'form' | 'version' | 'node'>): readonly Fd[] {
  const { listeners, heartbeats, workers, manager, premises, outputs } = state
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
    premises.scrape,
    outputs.captured,
    outputs.accesslog,
  ].filter((number) => number !== null)
  return numbers.map((number) => fd(number))
}
