/** The log of one process: leveled events, formatted by `format.ts`, written by `sink.ts`. */
import type { Fields, Level, LogEvent, LogFormat } from './format.ts'
import { eventLines, formatEvent, isWritten } from './format.ts'
import type { SinkTarget } from './sink.ts'
import { openSink } from './sink.ts'
import type { Syslog } from './syslog-sender.ts'

export type LogOptions = SinkTarget & {
  /** The least important level that is written. Default `info`. */
  readonly level?: Level
  /** Default `text`. */
  readonly format?: LogFormat
  /** Who writes: arbiter, worker, manager, companion, mold. */
  readonly role: string
  /** Gets every event that is written, line by line; closed with the log. */
  readonly syslog?: Syslog | null | undefined
}

type Write = (message: string, fields?: Fields, details?: string) => void

export type Log = { readonly [level in Level]: Write } & {
  /** Applies to all events from now on. */
  configure(change: { readonly level?: Level; readonly format?: LogFormat }): void
  /** Does what must not wait for the log: its events are written, in their order, when it is done. */
  after(work: () => void): void
  /** Opens the file anew after a rotation; what is queued goes to the new one. Nothing to do for a descriptor. */
  reopen(): void
  /** Writes what is queued before the process exits; waits for a slow reader for a moment at most. */
  flushNow(): void
  /** Flushes, and closes what the log has opened itself. */
  close(): void
  /** How many events there were of each level, also where the level is not written. */
  readonly counts: Readonly<Record<Level, number>>
  /** How many events were lost so far because nobody read them or the disk was full. */
  readonly dropped: number
}

/** Throws the error of open(2) when `file` cannot be opened; afterwards no trouble with the log ever throws. */
export function createLog(options: LogOptions): Log {
  let { level: threshold = 'info', format = 'text' } = options
  const { role, syslog } = options

  const event = (level: Level, message: string, fields?: Fields, details?: string): LogEvent => ({
    time: Date.now(),
    level,
    role,
    pid: process.pid,
    message,
    fields,
    details,
  })

  const counts: Record<Level, number> = { debug: 0, info: 0, warning: 0, error: 0, critical: 0 }
  const sink = openSink(options, (lines) => formatEvent(event('warning', 'log lines were dropped', { lines }), format))

  /** What is done by `after` has said so far; null: nothing is. */
  let waiting: LogEvent[] | null = null

  const write = (happened: LogEvent): void => {
    sink.write(formatEvent(happened, format))
    if (syslog) for (const line of eventLines(happened, format)) syslog.send(happened.level, line)
  }

  const writeWaiting = (): void => {
    for (const happened of waiting?.splice(0) ?? []) write(happened)
  }

  const at =
    (level: Level): Write =>
    (message, fields, details) => {
      counts[level] += 1
      if (!isWritten(level, threshold)) return
      const happened = event(level, message, fields, details)
      if (waiting === null) write(happened)
      else waiting.push(happened)
    }

  return {
    debug: at('debug'),
    info: at('info'),
    warning: at('warning'),
    error: at('error'),
    critical: at('critical'),
    configure(change) {
      threshold = change.level ?? threshold
      format = change.format ?? format
    },
    after(work) {
      if (waiting !== null) return work()
      waiting = []
      try {
        work()
      } finally {
        writeWaiting()
        waiting = null
      }
    },
    reopen: () => sink.reopen(),
    flushNow() {
      writeWaiting()
      sink.flushNow()
    },
    close() {
      writeWaiting()
      sink.close()
      syslog?.close()
    },
    counts,
    get dropped() {
      return sink.dropped
    },
  }
}
