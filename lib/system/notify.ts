/**
 * Telling the service manager how we are: sd_notify(3), over the datagram socket that NOTIFY_SOCKET names.
 *
 * Without the variable nothing is sent. A message that cannot be sent is reported once and stops nothing.
 */
import type { Kernel } from '../kernel/kernel.ts'
import type { Ms } from '../units.ts'
import { ms } from '../units.ts'

export type Notification = {
  readonly READY?: 1
  readonly RELOADING?: 1
  readonly STOPPING?: 1
  readonly WATCHDOG?: 1
  /** One line for `systemctl status`. */
  readonly STATUS?: string
  readonly MAINPID?: number
  readonly ERRNO?: number
  /** Of CLOCK_MONOTONIC, with RELOADING=1 (Type=notify-reload). */
  readonly MONOTONIC_USEC?: number
  readonly EXTEND_TIMEOUT_USEC?: number
}

export type Notifier = {
  /** Whether anybody listens. */
  readonly active: boolean
  /** How often WATCHDOG=1 is due: half of what the service manager allows. null: not asked for. */
  readonly watchdogEvery: Ms | null
  send(notification: Notification): void
  /** READY=1: started, or a reload is over. */
  ready(status: string): void
  /** RELOADING=1 at this point of the monotonic clock. */
  reloading(now: Ms, status: string): void
  stopping(status: string): void
}

export type NotifierOptions = {
  readonly kernel: Pick<Kernel, 'notify'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  /** Told once, in one line, when a message cannot be sent. */
  readonly onTrouble: (line: string) => void
}

export function createNotifier({ kernel, env, pid, onTrouble }: NotifierOptions): Notifier {
  const path = env.NOTIFY_SOCKET || null
  let troubled = false

  const send = (notification: Notification): void => {
    if (path === null) return
    try {
      kernel.notify(path, formatNotification(notification))
    } catch (error) {
      if (!troubled) onTrouble(`NOTIFY_SOCKET: cannot write to ${path}: ${(error as NodeJS.ErrnoException).code}`)
      troubled = true
    }
  }

  return {
    active: path !== null,
    watchdogEvery: path === null ? null : watchdogInterval(env, pid),
    send,
    ready: (STATUS) => send({ READY: 1, STATUS }),
    reloading: (now, STATUS) => send({ RELOADING: 1, MONOTONIC_USEC: microseconds(now), STATUS }),
    stopping: (STATUS) => send({ STOPPING: 1, STATUS }),
  }
}

/** The assignments, one a line. A value cannot start a line of its own. */
export const formatNotification = (notification: Notification): string =>
  Object.entries(notification)
    .map(([name, value]) => `${name}=${String(value).replace(/[\0\n\r]+/g, ' ')}\n`)
    .join('')

/** For MONOTONIC_USEC and EXTEND_TIMEOUT_USEC. */
export const microseconds = (value: Ms): number => Math.round(value * 1000)

/** Half of WATCHDOG_USEC, as sd_watchdog_enabled(3) recommends; null where it is not set or not for this process. */
export function watchdogInterval(env: NotifierOptions['env'], pid: number): Ms | null {
  const { WATCHDOG_USEC: limit = '', WATCHDOG_PID: forPid } = env
  if (!/^[1-9]\d{0,15}$/.test(limit)) return null
  if (forPid !== undefined && forPid !== String(pid)) return null
  return ms(Number(limit) / 2000)
}
