/**
 * A worker's access log: the worker writes the lines itself, on a descriptor that the arbiter has opened for appending.
 *
 * Lines of one turn of the event loop go out in one write. All workers write to the same file, so a write has whole lines
 * only (O_APPEND puts each at the end); to a pipe it is no larger than what the kernel does not mix with others' writes.
 */
import { fstatSync } from 'node:fs'
import type { ResponseRecord } from '../../http/engine.ts'
import { type AccessFormatter, accessFormatter } from '../../log/access.ts'
import { closeQuietly } from '../../log/descriptor.ts'
import { openSink, type Sink, type WriteNow } from '../../log/sink.ts'
import type { Syslog } from '../../log/syslog-sender.ts'
import type { Fd } from '../../units.ts'
import { accessRecord } from './access-record.ts'

/** Characters of one write: to a file, and to a pipe (PIPE_BUF is 4096 bytes; a character may take two). */
const MOST_TO_FILE = 64 * 1024
const MOST_TO_PIPE = 2_048
/** Lines that wait for the descriptor, which comes with the first message. */
const MOST_WAITING = 10_000

export type AccessLogOptions = {
  readonly format: string
  readonly writeNow: WriteNow
  /** Gets every line as well. */
  readonly syslog: Syslog | null
  /** Told in one line when lines are lost. */
  readonly onTrouble: (line: string) => void
}

export class AccessLog {
  readonly #options: AccessLogOptions
  readonly #format: AccessFormatter
  #fd: Fd | null = null
  #sink: Sink | null = null
  #most = MOST_TO_PIPE
  #lines: string[] = []
  #length = 0
  #scheduled = false

  /** Throws an `Error` of one line where the format is wrong. */
  constructor(options: AccessLogOptions) {
    this.#options = options
    this.#format = accessFormatter(options.format)
  }

  /** Writes to this descriptor from now on, and closes the one before. It is ours now. */
  use(fd: Fd): void {
    this.flush()
    this.#close()
    const { writeNow, onTrouble } = this.#options
    this.#fd = fd
    const kind = fstatSync(fd)
    this.#most = kind.isFile() ? MOST_TO_FILE : MOST_TO_PIPE
    this.#sink = openSink({ fd, writeNow: kind.isSocket() ? writeNow : undefined, onTrouble }, (lines) => {
      onTrouble(`${lines} lines of the access log were dropped`)
      return ''
    })
    this.flush()
  }

  /** A response was sent. */
  record(response: ResponseRecord): void {
    const line = this.#format(accessRecord(response))
    this.#options.syslog?.send('info', line.slice(0, -1))
    if (this.#length + line.length > this.#most) this.#write()
    this.#lines.push(line)
    this.#length += line.length
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#write())
  }

  /** Writes all there is, waiting for a slow reader for a moment at most: before the process exits. */
  flush(): void {
    this.#write()
    this.#sink?.flushNow()
  }

  /** For good. */
  close(): void {
    this.flush()
    this.#close()
    this.#fd = null
    this.#sink = null
    this.#options.syslog?.close()
  }

  #write(): void {
    this.#scheduled = false
    if (this.#sink === null) {
      if (this.#lines.length > MOST_WAITING) this.#lines.shift()
      return
    }
    if (this.#lines.length === 0) return
    this.#sink.write(this.#lines.join(''), this.#lines.length)
    this.#lines = []
    this.#length = 0
  }

  #close(): void {
    this.#sink?.close()
    if (this.#fd !== null) closeQuietly(this.#fd)
  }
}
