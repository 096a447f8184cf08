/**
 * What an arbiter hands to the one that is to follow it (USR2): its listening sockets, and what is needed to know when it
 * and its companions are gone. Descriptors are inherited; what they are stands in a memory, whose descriptor the
 * environment names.
 */
import { readBlob, writeBlob } from '../../channel/blob.ts'
import type { Shapes } from '../../channel/decode.ts'
import { childEnvironment } from '../../kernel/environment.ts'
import type { Kernel, ListenerAddress, ListenOptions, Rights, SpawnPlan } from '../../kernel/kernel.ts'
import { SetupError } from '../../system/setup-error.ts'
import { type Fd, fd, type Pid, pid } from '../../units.ts'

export const HANDOVER_VARIABLE = 'MONOCEROS_HANDOVER'
export const HANDOVER_PROTOCOL = 1

/** A listening socket; every descriptor keeps its number. */
export type HandedListener = {
  /** The addresses that were asked for when it was opened. */
  readonly names: readonly string[]
  readonly address: ListenerAddress
  readonly fd: number
  /** Its file is ours to remove, not the service manager's. */
  readonly ours: boolean
  readonly options: ListenOptions
  /** With `reusePort`, the socket of each slot. */
  readonly dealt: readonly number[] | null
  /** Whose rights its file was made with, where those were not the arbiter's. */
  readonly rights?: Rights | null
}

export type Handover = {
  readonly protocol: number
  /** Of monoceros, for the log. */
  readonly version: string
  readonly pid: number
  /** When that process started, in clock ticks since boot: with the pid, a name that is never given twice. */
  readonly start: number
  readonly listeners: readonly HandedListener[]
  /** Those that the service manager has passed (LISTEN_FDS). */
  readonly activated: readonly number[]
  /** Descriptors: the channel between the two, the sessions of the companions, the page that names their manager. */
  readonly channel: number
  readonly sessions: number
  readonly manager: number
}

/** What the new arbiter says to the one before it. */
export type FromSuccessor = { readonly kind: 'ready' }
export const FROM_SUCCESSOR = { ready: {} } satisfies Shapes<FromSuccessor>

export type HandedFds = { readonly channel: Fd; readonly sessions: Fd; readonly manager: Fd }

/** The spawn of a new arbiter. The caller closes `blob` when that is done. */
export function successorPlan(
  kernel: Kernel,
  command: { readonly argv: readonly string[]; readonly cwd: string },
  what: Omit<Handover, 'protocol' | keyof HandedFds>,
  fds: HandedFds,
): { readonly plan: SpawnPlan; readonly blob: Fd } {
  const kept = what.listeners.flatMap((one) => one.dealt ?? [one.fd])
  let free = Math.max(2, ...kept)
  const numbers = { channel: ++free, sessions: ++free, manager: ++free }
  const blob = writeBlob(kernel, { protocol: HANDOVER_PROTOCOL, ...what, ...numbers } satisfies Handover)
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = process.env
  const plan: SpawnPlan = {
    file: command.argv[0]!,
    argv: command.argv,
    cwd: command.cwd,
    env: {
      ...childEnvironment(process.env),
      ...(NOTIFY_SOCKET !== undefined && { NOTIFY_SOCKET }),
      ...(WATCHDOG_USEC !== undefined && { WATCHDOG_USEC }),
      [HANDOVER_VARIABLE]: String(++free),
    },
    fds: [
      ...[0, 1, 2].map((to) => ({ from: fd(to), to })),
      ...kept.map((to) => ({ from: fd(to), to })),
      { from: fds.channel, to: numbers.channel },
      { from: fds.sessions, to: numbers.sessions },
      { from: fds.manager, to: numbers.manager },
      { from: blob, to: free },
    ],
  }
  return { plan, blob }
}

/** Takes what was handed over, and the variable out of the environment; null where nothing was. Throws a `SetupError`. */
export function takeHandover(kernel: Kernel, env: NodeJS.ProcessEnv): Handover | null {
  const number = env[HANDOVER_VARIABLE]
  delete env[HANDOVER_VARIABLE]
  if (number === undefined) return null
  const handover = readHandover(kernel, Number(number))
  if (handover?.protocol !== HANDOVER_PROTOCOL)
    throw new SetupError(`${HANDOVER_VARIABLE}: the arbiter before this one speaks another protocol; restart instead`)
  const { channel, sessions, manager, listeners } = handover
  for (const one of [channel, sessions, manager, ...listeners.flatMap(({ fd: only, dealt }) => dealt ?? [only])])
    kernel.setCloseOnExec(fd(one), true)
  return handover
}

function readHandover(kernel: Kernel, number: number): Handover | null {
  try {
    return readBlob(kernel, fd(number)) as Handover
  } catch {
    return null
  }
}

/** The page that names the manager: its pid (0: there is none) and when it started. */
export const MANAGER_PAGE_BYTES = 2 * Float64Array.BYTES_PER_ELEMENT

/** The start time stands before the pid does: whoever reads a pid reads its own start. */
export function noteManager(page: ArrayBuffer, one: { readonly pid: Pid; readonly start: number } | null): void {
  const cells = new Float64Array(page)
  cells[0] = 0
  if (one === null) return
  cells[1] = one.start
  cells[0] = one.pid
}

export function notedManager(page: ArrayBuffer): { readonly pid: Pid; readonly start: number } | null {
  const [number = 0, start = 0] = new Float64Array(page)
  return number > 0 ? { pid: pid(number), start } : null
}
