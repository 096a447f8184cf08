/**
 * Moves what a companion writes from a pipe into its log file. Bytes stay bytes: they are never made into strings.
 */
import { readSync } from 'node:fs'
import type { Kernel, Watch } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'
import type { LogFile } from './log-file.ts'

/** One buffer for all pumps: each writes what it has read before another reads. */
const buffer = Buffer.allocUnsafe(65_536)

/** Reads in one turn of the event loop; a companion that never stops writing must not hold up the others. */
const READS_A_TURN = 4
/** At the end of a process its pipe holds this much at most (F_SETPIPE_SZ's limit for a user, 1 MB), and we no more. */
const READS_AT_THE_END = 17

export class Pump {
  readonly #kernel: Kernel
  readonly #from: Fd
  readonly #watch: Watch
  readonly file: LogFile
  #closed = false

  /** Takes the reading end of the pipe over. */
  constructor(kernel: Kernel, from: Fd, file: LogFile) {
    this.#kernel = kernel
    this.#from = from
    this.file = file
    this.#watch = kernel.watch(from, 'readable', () => this.#move(READS_A_TURN))
  }

  /** The process is gone: takes what is left in the pipe, without waiting, and closes it. */
  finish(): void {
    this.#move(READS_AT_THE_END)
    this.#close()
  }

  #move(reads: number): void {
    for (let n = 0; n < reads && !this.#closed; n++) {
      const length = this.#read()
      if (length === 'empty') return
      if (length === 'end') return this.#close()
      this.file.write(buffer.subarray(0, length))
    }
  }

  #read(): number | 'empty' | 'end' {
    try {
      return readSync(this.#from, buffer) || 'end'
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'empty' : 'end'
    }
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#watch.close()
    this.#kernel.close(this.#from)
  }
}
