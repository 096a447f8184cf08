/**
 * Sockets that the service manager has opened for us: sd_listen_fds(3).
 *
 * `LISTEN_FDS=2` descriptors from 3 on are for the process `LISTEN_PID`; `LISTEN_FDNAMES=http:admin` names them. What the
 * variables say is believed only after it has been looked at.
 */
import type { Kernel, ListenerAddress } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'
import { fd } from '../units.ts'
import { SetupError } from './setup-error.ts'

/** The first passed descriptor (SD_LISTEN_FDS_START). */
const FIRST = 3
/** More than anybody passes; the default limit of descriptors. */
const MOST = 1024

export type PassedSocket = {
  readonly fd: Fd
  /** systemd's FileDescriptorName=, which is `unknown` unless it was set (sd_listen_fds_with_names(3)). */
  readonly name: string
}

export type PassedListener = PassedSocket & { readonly address: ListenerAddress }

type Environment = Readonly<Record<string, string | undefined>>

/** The passed sockets, each a listening one. Empty when nothing was passed to this process. Throws a `SetupError`. */
export function passedListeners(
  env: Environment,
  pid: number,
  kernel: Pick<Kernel, 'listenerAddress'>,
): PassedListener[] {
  return passedSockets(env, pid).map((socket) => {
    try {
      return { ...socket, address: kernel.listenerAddress(socket.fd) }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new SetupError(`LISTEN_FDS: descriptor ${socket.fd} (${socket.name}) is no listening socket (${code})`)
    }
  })
}

/** What the variables say, without looking at the descriptors. Variables for another process are none. */
export function passedSockets(env: Environment, pid: number): PassedSocket[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: list } = env
  if (forPid === undefined || count === undefined) return []
  if (number('LISTEN_PID', forPid, Number.MAX_SAFE_INTEGER) !== pid) return []
  const names = list?.split(':') ?? []
  const sockets = Array.from({ length: number('LISTEN_FDS', count, MOST) }, (_, index) => ({
    fd: fd(FIRST + index),
    name: names[index] || 'unknown',
  }))
  if (list !== undefined && names.length !== sockets.length) {
    throw new SetupError(`LISTEN_FDNAMES: has ${names.length} names for ${sockets.length} descriptors (LISTEN_FDS)`)
  }
  return sockets
}

function number(variable: string, text: string, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= most) return value
  throw new SetupError(`${variable}: ${JSON.stringify(text)} is no whole number from 1 to ${most}`)
}
