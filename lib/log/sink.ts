/**
 * Where log lines go: a descriptor or a file behind a bounded queue that never makes the process wait.
 *
 * A line is written at once while the reader keeps up, so it is out before the next thing can go wrong. When a pipe is
 * full, lines queue up to a limit; what comes after that is dropped and counted, and the count is written as a line of
 * its own once there is room. A closed pipe or a full disk is reported once, on descriptor 2, and stops nothing.
 */
import { closeSync, writeSync } from 'node:fs'
import { closeQuietly, openLogFile, openNonBlocking } from './descriptor.ts'
import { LineQueue } from './queue.ts'

/** Bytes that wait for a slow reader at most. */
export const QUEUE_LIMIT = 1024 * 1024
/** Milliseconds between two attempts on a full pipe, and that `flushNow` waits in all. */
const RETRY_AFTER = 20
const FLUSH_LIMIT = 250

/** Writes what fits now without blocking: bytes written, 0 when nothing fits. Throws the errors of write(2). */
export type WriteNow = (fd: number, data: Uint8Array) => number

/** Exactly one of `fd` and `file`. */
export type SinkTarget = {
  readonly fd?: number
  readonly file?: string
  /** For an inherited socket (systemd's journal), which cannot be opened a second time. Without it writes may block. */
  readonly writeNow?: WriteNow | undefined
  /** Bytes; default `QUEUE_LIMIT`. */
  readonly limit?: number
  /** Told once about each kind of trouble, in one line. Default: writes it to descriptor 2. */
  readonly onTrouble?: (line: string) => void
}

/** The line that says how many lines were dropped, its newline included; '' where the log is not the place for it. */
export type DroppedLine = (lines: number) => string

export type Sink = {
  /** Whole lines, the newline at the end included; how many they are, for the count of what is dropped. */
  write(text: string, lines?: number): void
  reopen(): void
  flushNow(): void
  close(): void
  /** Lines lost so far. */
  readonly dropped: number
}

export function openSink(target: SinkTarget, droppedLine: DroppedLine): Sink {
  return new QueuedSink(target, droppedLine)
}

/** `errorlog: /dev/stdout` means the descriptor: opened by name, a socket fails and a file is written from its start. */
const DESCRIPTOR_PATHS: Readonly<Record<string, number>> = { '-': 2, '/dev/stdout': 1, '/dev/stderr': 2 }

class QueuedSink implements Sink {
  readonly #target: SinkTarget
  readonly #file: string | undefined
  #fd: number
  /** Whether `#fd` was opened here. */
  #own = false
  readonly #droppedLine: DroppedLine
  readonly #queue: LineQueue
  #timer: NodeJS.Timeout | undefined
  readonly #told = new Set<string>()

  constructor(target: SinkTarget, droppedLine: DroppedLine) {
    const { fd, file } = target
    this.#target = target
    this.#droppedLine = droppedLine
    this.#queue = new LineQueue(target.limit ?? QUEUE_LIMIT)
    const descriptor = fd ?? DESCRIPTOR_PATHS[file ?? '-']
    this.#file = descriptor === undefined ? file : undefined
    this.#fd = descriptor ?? openLogFile(file!)
    this.#own = descriptor === undefined
    const second = descriptor === undefined ? null : openNonBlocking(descriptor)
    if (second !== null) {
      this.#fd = second
      this.#own = true
    }
  }

  get dropped(): number {
    return this.#queue.lost
  }

  write(text: string, lines = 1): void {
    this.#queue.push(text, lines)
    if (this.#timer === undefined) this.#drain()
  }

  reopen(): void {
    if (this.#file === undefined) return
    try {
      const fresh = openLogFile(this.#file)
      closeQuietly(this.#fd)
      this.#fd = fresh
    } catch (error) {
      this.#tell(`cannot reopen ${this.#file}`, error)
    }
    this.#told.clear()
    this.#drain()
  }

  flushNow(): void {
    const until = performance.now() + FLUSH_LIMIT
    while (!this.#drain() && performance.now() < until) pause(RETRY_AFTER / 4)
  }

  close(): void {
    this.flushNow()
    clearTimeout(this.#timer)
    if (this.#own) closeSync(this.#fd)
  }

  /** Writes until the queue is empty or the descriptor takes no more; true in the first case. */
  #drain(): boolean {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (;;) {
      const first = this.#queue.first()
      if (first === null) {
        if (this.#queue.pushNote(this.#droppedLine)) continue
        return true
      }
      try {
        const written = writeSome(this.#fd, first, this.#own ? undefined : this.#target.writeNow)
        this.#queue.took(written)
        if (written > 0) continue
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
          this.#queue.lose()
          this.#tell(`cannot write to ${this.#file ?? `descriptor ${this.#target.fd ?? 2}`}`, error)
          return true
        }
      }
      this.#timer = setTimeout(() => this.#drain(), RETRY_AFTER).unref()
      return false
    }
  }

  /** Once for each kind of error, until the log is reopened. */
  #tell(what: string, error: unknown): void {
    const { code = 'error' } = error as NodeJS.ErrnoException
    if (this.#told.has(code)) return
    this.#told.add(code)
    const line = `monoceros: log: ${what}: ${code}; lines are dropped until it works again\n`
    if (this.#target.onTrouble) this.#target.onTrouble(line)
    else tellStderr(line, this.#target.writeNow)
  }
}

/** Descriptor 2 may be a pipe that nobody reads: what does not fit is not said. */
function tellStderr(line: string, writeNow: WriteNow | undefined): void {
  const second = openNonBlocking(2)
  try {
    writeSome(second ?? 2, Buffer.from(line), second === null ? writeNow : undefined)
  } catch {}
  if (second !== null) closeQuietly(second)
}

const writeSome = (fd: number, data: Uint8Array, writeNow: WriteNow | undefined): number =>
  writeNow === undefined ? writeSync(fd, data) : writeNow(fd, data)

/** Blocks this thread; only on the way out of the process. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
