/**
 * Log files that the manager writes to itself (`logMode: pipe`): one object a path, however many companions write to
 * it, so that a rotation moves all of them to the new file at once.
 */
import { fstatSync, ftruncateSync, renameSync, writeSync } from 'node:fs'
import type { Kernel } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'

export type Rotation = {
  /** Rotate before the file would grow over so many bytes; 0: never. */
  readonly maxBytes: number
  /** How many old files are kept, `PATH.1` being the youngest; 0: the file is emptied instead. */
  readonly backups: number
}

/** Writing has begun to fail (`error`, nothing lost yet), or works again and `lost` bytes are gone. */
export type LogTrouble = (path: string, error: string | null, lost: number) => void

export class LogFile {
  readonly path: string
  readonly #kernel: Kernel
  readonly #rotation: Rotation
  readonly #trouble: LogTrouble
  #fd: Fd
  #size = 0
  #lost = 0

  /** Throws where the file cannot be opened. */
  constructor(kernel: Kernel, path: string, rotation: Rotation, trouble: LogTrouble) {
    this.#kernel = kernel
    this.path = path
    this.#rotation = rotation
    this.#trouble = trouble
    this.#fd = this.#open()
  }

  /**
   * Appends bytes, rotating first where they would make the file too large. Never throws and never waits: neither a full
   * disk nor a FIFO that nobody reads may stop a companion, so what cannot be written is lost.
   */
  write(bytes: Buffer): void {
    const { maxBytes } = this.#rotation
    if (maxBytes > 0 && this.#size > 0 && this.#size + bytes.length > maxBytes) this.#rotate()
    for (let at = 0; at < bytes.length; ) {
      try {
        const written = writeSync(this.#fd, bytes, at)
        at += written
        this.#size += written
      } catch (error) {
        if (this.#lost === 0) this.#trouble(this.path, (error as Error).message, 0)
        this.#lost += bytes.length - at
        return
      }
    }
    if (this.#lost > 0) this.#trouble(this.path, null, this.#lost)
    this.#lost = 0
  }

  /** Opens the path anew: somebody has moved the file away. Keeps the old file where that fails, and throws. */
  reopen(): void {
    const old = this.#fd
    this.#fd = this.#open()
    this.#kernel.close(old)
  }

  close(): void {
    this.#kernel.close(this.#fd)
  }

  #open(): Fd {
    const opened = this.#kernel.openAppend(this.path)
    this.#kernel.setNonBlocking(opened, true)
    this.#size = fstatSync(opened).size
    return opened
  }

  /** Where renaming fails (a directory that became read-only) the file goes on growing: nothing is thrown away. */
  #rotate(): void {
    const { backups } = this.#rotation
    try {
      if (backups === 0) {
        ftruncateSync(this.#fd)
        this.#size = 0
        return
      }
      for (let n = backups - 1; n > 0; n--) renameIfThere(`${this.path}.${n}`, `${this.path}.${n + 1}`)
      renameSync(this.path, `${this.path}.1`)
      this.reopen()
    } catch {}
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** The log files that are open, each with the number of those who write to it. */
export class LogFiles {
  readonly #kernel: Kernel
  readonly #trouble: LogTrouble
  readonly #open = new Map<string, { readonly file: LogFile; users: number }>()

  constructor(kernel: Kernel, trouble: LogTrouble) {
    this.#kernel = kernel
    this.#trouble = trouble
  }

  /** The file of that path; the rotation is that of the first who opened it. Throws where it cannot be opened. */
  take(path: string, rotation: Rotation): LogFile {
    const found = this.#open.get(path) ?? { file: new LogFile(this.#kernel, path, rotation, this.#trouble), users: 0 }
    found.users++
    this.#open.set(path, found)
    return found.file
  }

  giveBack(file: LogFile): void {
    const found = this.#open.get(file.path)
    if (found === undefined || --found.users > 0) return
    this.#open.delete(file.path)
    file.close()
  }

  /** Opens all of them anew. What went wrong, in one line each. */
  reopen(): string[] {
    const problems: string[] = []
    for (const { file } of this.#open.values()) {
      try {
        file.reopen()
      } catch (error) {
        problems.push((error as Error).message)
      }
    }
    return problems
  }
}
