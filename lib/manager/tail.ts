/** The end of a log file, and what is added to it. Bounded reads; nothing here waits. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

/** The most bytes that one answer carries. */
export const LARGEST_TAIL = 1024 * 1024

/** Its size; 0 where there is no such file. */
export function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

/** Whole lines of the end of a file, from `from` on and at most `bytes` bytes; what is no UTF-8 is replaced. */
export function lastLines(path: string, bytes: number, from: number): string {
  const log = openTail(path)
  if (log === null) return ''
  try {
    const { size } = fstatSync(log)
    // A file that is shorter than where it began has been rotated meanwhile: all of it is new.
    const first = size < from ? 0 : from
    const end = readAt(log, Math.max(first, size - bytes), size)
    return (size - first > bytes ? end.subarray(end.indexOf(0x0a) + 1) : end).toString('utf8').trimEnd()
  } finally {
    closeSync(log)
  }
}

/** How the bytes of a log travel in JSON: as text where they are text. */
export function packed(bytes: Buffer): { readonly data: string; readonly encoding: 'utf8' | 'base64' } {
  try {
    return { data: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), encoding: 'utf8' }
  } catch {
    return { data: bytes.toString('base64'), encoding: 'base64' }
  }
}

/**
 * Follows a path: what is appended, and after a rotation the rest of the old file, then the new one from its start. A
 * file that was emptied is read from its start.
 */
export class Follower {
  readonly #path: string
  #log: number | null = null
  #at = 0

  /** Starts with the last `back` bytes of what is there now. */
  constructor(path: string, back: number) {
    this.#path = path
    this.#log = openTail(path)
    if (this.#log !== null) this.#at = Math.max(0, fstatSync(this.#log).size - back)
  }

  /** The next bytes, at most `most`; empty when there are none now. */
  read(most: number): Buffer {
    if (this.#log === null) this.#log = openTail(this.#path)
    if (this.#log === null) return Buffer.alloc(0)
    const { size, ino, dev } = fstatSync(this.#log)
    if (size < this.#at) this.#at = 0
    const found = readAt(this.#log, this.#at, Math.min(size, this.#at + most))
    this.#at += found.length
    if (found.length === 0 && this.#isAnother(ino, dev)) {
      this.close()
      this.#at = 0
      return this.read(most)
    }
    return found
  }

  close(): void {
    if (this.#log !== null) closeSync(this.#log)
    this.#log = null
  }

  /** Whether another file stands there by now. */
  #isAnother(ino: number, dev: number): boolean {
    try {
      const there = statSync(this.#path)
      return there.ino !== ino || there.dev !== dev
    } catch {
      return false
    }
  }
}

/** Null where it cannot be read. A path that was made a FIFO must not make us wait for a writer. */
function openTail(path: string): number | null {
  try {
    if (!statSync(path).isFile()) return null
    return openSync(path, 'r')
  } catch {
    return null
  }
}

function readAt(log: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, to - from))
  let at = 0
  while (at < bytes.length) {
    const read = readSync(log, bytes, at, bytes.length - at, from + at)
    if (read === 0) break
    at += read
  }
  return bytes.subarray(0, at)
}
