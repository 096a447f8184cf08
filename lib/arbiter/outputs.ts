/** Where the arbiter's log goes, and what the workers get as their standard descriptors. */
import { fstatSync, openSync } from 'node:fs'
import type { Config } from '../config/settings.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createLog, type Log } from '../log/log.ts'
import type { WriteNow } from '../log/sink.ts'
import { openSyslog, type Syslog } from '../log/syslog-sender.ts'
import { syslogSettings } from '../log/syslog-settings.ts'
import { SetupError } from '../system/setup-error.ts'
import { type Fd, fd } from '../units.ts'

const STDERR = 2

/** Throws a `SetupError` where the file cannot be opened. */
export function openLog(config: Config, kernel: Kernel): Log {
  const target = config.errorlog === '-' ? { fd: STDERR, writeNow: socketWriter(kernel) } : { file: config.errorlog }
  try {
    const log: Log = createLog({
      ...target,
      ...styleOf(config),
      role: 'arbiter',
      syslog: syslogOf(config, kernel, (line) => log.warning(line)),
    })
    return log
  } catch (error) {
    throw new SetupError(`errorlog: cannot open ${config.errorlog}: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function syslogOf(config: Config, kernel: Kernel, onTrouble: (line: string) => void): Syslog | null {
  const settings = syslogSettings(config)
  return settings && openSyslog(settings, { datagram: (path, text) => kernel.notify(path, text), onTrouble })
}

/** systemd's journal is a socket, which cannot be opened once more to be written to without waiting. */
const socketWriter = (kernel: Kernel): WriteNow | undefined =>
  fstatSync(STDERR).isSocket() ? (to, data) => kernel.writeNow(fd(to), data) : undefined

/** What of the log a reload may change. */
export const styleOf = ({ loglevel, logFormat }: Config) =>
  ({ level: loglevel, format: logFormat === 'auto' ? 'text' : logFormat }) as const

/** Where workers' 0, 1 and 2 come from. */
export type Standard = { readonly stdin: Fd; readonly stdout: Fd; readonly stderr: Fd }

/** What workers have open besides their sockets: where they write to, and the names of it in a `reopen` message. */
export type Reopened = {
  readonly files: readonly ('stdout' | 'stderr' | 'accesslog')[]
  readonly fds: readonly Fd[]
  /** What stands on both 1 and 2; null where they are ours. */
  readonly captured: Fd | null
}

/** For another image of this process. */
export type PackedOutputs = { readonly captured: number | null; readonly accesslog: number | null }

/**
 * What the workers write to 1 and 2 goes where our own output goes, or with `captureOutput` into the log's file. Their
 * access log is opened here as well, because they may not have the right to.
 */
export class Outputs {
  readonly #kernel: Kernel
  readonly #stdin: Fd = fd(openSync('/dev/null', 'r'))
  #captured: Fd | null = null
  #accesslog: Fd | null = null

  /** Throws a `SetupError` where a file cannot be opened. */
  constructor(kernel: Kernel, config: Config, packed: PackedOutputs | null = null) {
    this.#kernel = kernel
    if (packed === null) {
      this.adopt(config)
      return
    }
    const { captured, accesslog } = packed
    this.#captured = captured === null ? null : fd(captured)
    this.#accesslog = accesslog === null ? null : fd(accesslog)
  }

  pack(): PackedOutputs {
    return { captured: this.#captured, accesslog: this.#accesslog }
  }

  get standard(): Standard {
    return {
      stdin: this.#stdin,
      stdout: this.#captured ?? fd(1),
      stderr: this.#captured ?? fd(2),
    }
  }

  /**
   * Opens all files anew, as the settings name them; workers that are there keep the old ones until they are told.
   * Throws a `SetupError` where one cannot be opened, and then nothing has changed.
   */
  adopt({ errorlog, captureOutput, accesslog }: Config): void {
    const captured = captureOutput && errorlog !== '-' ? this.#open('errorlog', errorlog) : null
    try {
      const access = accesslog === null ? null : this.#open('accesslog', accesslog)
      this.#close()
      this.#captured = captured
      this.#accesslog = access
    } catch (error) {
      if (captured !== null) this.#kernel.close(captured)
      throw error
    }
  }

  /** What a worker is told after that, and when it begins. */
  get opened(): Reopened {
    const named = { stdout: this.#captured, stderr: this.#captured, accesslog: this.#accesslog }
    const open = Object.entries(named).filter((entry): entry is [keyof typeof named, Fd] => entry[1] !== null)
    return { files: open.map(([name]) => name), fds: open.map(([, opened]) => opened), captured: this.#captured }
  }

  #open(setting: string, path: string): Fd {
    try {
      return path === '-' ? this.#kernel.dup(fd(1)) : this.#kernel.openAppend(path)
    } catch (error) {
      throw new SetupError(`${setting}: cannot open ${path}: ${(error as NodeJS.ErrnoException).code}`)
    }
  }

  #close(): void {
    for (const open of [this.#captured, this.#accesslog]) if (open !== null) this.#kernel.close(open)
  }
}
