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

export class LogFile {
  readonly path: string
  readonly #kernel: Kernel
  readonly #rotation: Rotation
  #fd: Fd
  #size: number
  #lost = 0

  /** Throws where the file cannot be opened. */
  constructor(kernel: Kernel, path: string, rotation: Rotation) {
    this.#kernel = kernel
    this.path = path
    this.#rotation = rotation
    this.#fd = kernel.openAppend(path)
    this.#size = fstatSync(this.#fd).size
  }

  /** Bytes that could not be written: a full disk must not stop a companion. */
  get lost(): number {
    return this.#lost
  }

  /** Appends bytes, rotating first where they would make the file too large. Never throws. */
  write(bytes: Buffer): void {
    const { maxBytes } = this.#rotation
    if (maxBytes > 0 && this.#size > 0 && this.#size + bytes.length > maxBytes) this.#rotate()
    for (let at = 0; at < bytes.length; ) {
      try {
        const written = writeSync(this.#fd, bytes, at)
        at += written
        this.#size += written
      } catch {
        this.#lost += bytes.length - at
        return
      }
    }
  }

  /** Opens the path anew: somebody has moved the file away. Keeps the old file where that fails, and throws. */
  reopen(): void {
    const fresh = this.#kernel.openAppend(this.path)
    this.#kernel.close(this.#fd)
    this.#fd = fresh
    this.#size = fstatSync(fresh).size
  }

  close(): void {
    this.#kernel.close(this.#fd)
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
  readonly #open = new Map<string, { readonly file: LogFile; users: number }>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** The file of that path; the rotation is that of the first who opened it. Throws where it cannot be opened. */
  take(path: string, rotation: Rotation): LogFile {
    const found = this.#open.get(path) ?? { file: new LogFile(this.#kernel, path, rotation), users: 0 }
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
