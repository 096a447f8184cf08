/**
 * Where log lines go: a descriptor or a file behind a bounded queue that never makes the process wait.
 *
 * A line is written at once while the reader keeps up, so it is out before the next thing can go wrong. When a pipe is
 * full, lines queue up to a limit; what comes after that is dropped and counted, and the count is written as a line of
 * its own once there is room. A closed pipe or a full disk is reported once, on descriptor 2, and stops nothing.
 */
import { closeSync, writeSync } from 'node:fs'
import { closeQuietly, openLogFile, openNonBlocking } from './descriptor.ts'

/** Bytes that wait for a slow reader at most. */
export const QUEUE_LIMIT = 1024 * 1024
/** Milliseconds between two attempts on a full pipe, and that `flushNow` waits in all. */
const RETRY_AFTER = 20
const FLUSH_LIMIT = 250
const NEWLINE = 10

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

/** The line that says how many lines were dropped, its newline included. */
export type DroppedLine = (lines: number) => string

export type Sink = {
  /** One whole line (or several), its newline included. */
  write(line: string): void
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
  readonly #limit: number
  #fd: number
  /** Whether `#fd` was opened here. */
  #own = false
  readonly #droppedLine: DroppedLine
  #queue: Buffer[] = []
  /** Index of the queue's first line; what is before it is written. */
  #head = 0
  #queuedBytes = 0
  /** The first buffer of the queue is the rest of a line whose beginning is out. */
  #torn = false
  /** A newline, after a torn line whose rest was lost: the next one must not be glued to its beginning. */
  #prefix = ''
  #dropped = 0
  #reported = 0
  /** How many dropped lines the queued note speaks of; 0 while none is queued. */
  #noted = 0
  #timer: NodeJS.Timeout | undefined
  readonly #told = new Set<string>()

  constructor(target: SinkTarget, droppedLine: DroppedLine) {
    const { fd, file } = target
    this.#target = target
    this.#droppedLine = droppedLine
    this.#limit = target.limit ?? QUEUE_LIMIT
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
    return this.#dropped
  }

  write(line: string): void {
    if (this.#queuedBytes + Buffer.byteLength(line) > this.#limit) {
      this.#dropped += 1
      return
    }
    this.#push(line)
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

  #push(line: string): void {
    const data = Buffer.from(this.#prefix + line)
    this.#prefix = ''
    this.#queue.push(data)
    this.#queuedBytes += data.length
  }

  #clear(): void {
    this.#queue = []
    this.#head = 0
    this.#queuedBytes = 0
    this.#noted = 0
    this.#torn = false
  }

  /** Writes until the queue is empty or the descriptor takes no more; true in the first case. */
  #drain(): boolean {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (;;) {
      if (this.#head === this.#queue.length && !this.#noteDropped()) return true
      try {
        if (this.#writeFirst()) continue
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
          this.#lose(error)
          return true
        }
      }
      this.#timer = setTimeout(() => this.#drain(), RETRY_AFTER).unref()
      return false
    }
  }

  /** False when nothing of it could be written. */
  #writeFirst(): boolean {
    const first = this.#queue[this.#head]!
    const written = writeSome(this.#fd, first, this.#own ? undefined : this.#target.writeNow)
    this.#queuedBytes -= written
    if (written < first.length) {
      this.#queue[this.#head] = first.subarray(written)
      this.#torn ||= written > 0
    } else {
      this.#head += 1
      this.#torn = false
    }
    return written > 0
  }

  /** The queue is written: forgets it, and queues the line about what was dropped. False when nothing was. */
  #noteDropped(): boolean {
    this.#reported += this.#noted
    this.#clear()
    this.#noted = this.#dropped - this.#reported
    if (this.#noted > 0) this.#push(this.#droppedLine(this.#noted))
    return this.#noted > 0
  }

  /** An error that waiting does not cure: the queue is lost, and the next line is tried afresh. */
  #lose(error: unknown): void {
    this.#dropped += this.#queue.length - this.#head - (this.#noted > 0 ? 1 : 0)
    if (this.#torn || this.#queue[this.#head]?.[0] === NEWLINE) this.#prefix = '\n'
    this.#clear()
    this.#tell(`cannot write to ${this.#file ?? `descriptor ${this.#target.fd ?? 2}`}`, error)
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
