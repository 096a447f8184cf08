/** Where the arbiter's log goes, and what the workers get as their standard descriptors. */
import { fstatSync, openSync } from 'node:fs'
import type { Config } from '../config/settings.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createLog, type Log } from '../log/log.ts'
import type { WriteNow } from '../log/sink.ts'
import { SetupError } from '../system/setup-error.ts'
import { type Fd, fd } from '../units.ts'
import type { Standard } from './workers.ts'

const STDERR = 2

/** Throws a `SetupError` where the file cannot be opened. */
export function openLog(config: Config, kernel: Kernel): Log {
  const target = config.errorlog === '-' ? { fd: STDERR, writeNow: socketWriter(kernel) } : { file: config.errorlog }
  try {
    return createLog({ ...target, ...styleOf(config), role: 'arbiter' })
  } catch (error) {
    throw new SetupError(`errorlog: cannot open ${config.errorlog}: ${(error as NodeJS.ErrnoException).code}`)
  }
}

/** systemd's journal is a socket, which cannot be opened once more to be written to without waiting. */
const socketWriter = (kernel: Kernel): WriteNow | undefined =>
  fstatSync(STDERR).isSocket() ? (to, data) => kernel.writeNow(fd(to), data) : undefined

/** What of the log a reload may change. */
export const styleOf = ({ loglevel, logFormat }: Config) =>
  ({ level: loglevel, format: logFormat === 'auto' ? 'text' : logFormat }) as const

/** What the workers write to 1 and 2 goes where our own output goes, or with `captureOutput` into the log's file. */
export class Outputs {
  readonly #kernel: Kernel
  readonly #stdin: Fd = fd(openSync('/dev/null', 'r'))
  #file: Fd | null = null

  constructor(kernel: Kernel, config: Config) {
    this.#kernel = kernel
    this.#open(config)
  }

  get standard(): Standard {
    return { stdin: this.#stdin, stdout: this.#file ?? fd(1), stderr: this.#file ?? fd(2) }
  }

  /** Opens the file anew. The new descriptors for workers that are there; null where there is no file. */
  reopen(config: Config): readonly Fd[] | null {
    if (this.#file !== null) this.#kernel.close(this.#file)
    this.#file = null
    this.#open(config)
    return this.#file === null ? null : [this.#file, this.#file]
  }

  #open({ errorlog, captureOutput }: Config): void {
    if (captureOutput && errorlog !== '-') this.#file = this.#kernel.openAppend(errorlog)
  }
}
