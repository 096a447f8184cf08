/**
 * Sends records to a syslog server. Nothing waits for it: what cannot be sent now is lost, which is said once, and again
 * with their number when records are taken again. A connection that breaks is made again after a while.
 */
import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { hostname } from 'node:os'
import type { Level } from './format.ts'
import { syslogBytes } from './syslog.ts'
import type { SyslogSettings } from './syslog-settings.ts'

export type SyslogParts = {
  /** Sends one datagram to a UNIX socket without waiting, or throws (`Kernel.notify`). */
  readonly datagram: (path: string, text: string) => void
  /** Told in one line, once until it works again, and when it does. */
  readonly onTrouble: (line: string) => void
}

export type Syslog = {
  /** One line. */
  send(level: Level, text: string): void
  close(): void
}

/** Milliseconds until a broken connection is made again. */
const RECONNECT_AFTER = 2_000
/** Milliseconds without a failure until it counts as working again: a server that is too slow fails by turns. */
const SETTLED = 1_000
/** Bytes that wait for a TCP server at most. */
const QUEUE_LIMIT = 1024 * 1024

/** Records that wait until the server's name is looked up. */
const MOST_WAITING = 1_000

type Transport = { write(bytes: Buffer): void; close(): void }

export function openSyslog(settings: SyslogSettings, { datagram, onTrouble }: SyslogParts): Syslog {
  const { to, facility, tag } = settings
  const host = hostname()
  const where = to.kind === 'unix' ? to.path : `${to.kind}://${to.host}:${to.port}`
  let troubled = false
  let lost = 0
  let failedAt = 0
  // What is told may be logged, and come here again: it is told last.
  const failed: Outcome['failed'] = (error, records) => {
    const isNew = !troubled
    troubled = true
    lost += records
    failedAt = performance.now()
    if (isNew) onTrouble(`syslog: cannot send to ${where}: ${reason(error)}; records are lost`)
  }
  const worked = (): void => {
    if (!troubled || performance.now() - failedAt < SETTLED) return
    const count = lost
    troubled = false
    lost = 0
    onTrouble(`syslog: ${where} takes records again${count > 0 ? `; at least ${count} were lost` : ''}`)
  }
  const outcome: Outcome = { failed, worked }
  const transport =
    to.kind === 'unix' ? unix(to.path, datagram, outcome) : to.kind === 'udp' ? udp(to, outcome) : tcp(to, outcome)
  return {
    send(level, text) {
      const time = Date.now()
      const zone = -new Date(time).getTimezoneOffset()
      transport.write(syslogBytes({ time, zone, facility, level, host, tag, pid: process.pid, text }, to.kind))
    },
    close: () => transport.close(),
  }
}

type Outcome = { failed(error: Error, records: number): void; worked(): void }
type Address = { readonly host: string; readonly port: number }

function unix(path: string, datagram: SyslogParts['datagram'], outcome: Outcome): Transport {
  return {
    write(bytes) {
      try {
        datagram(path, bytes.toString())
        outcome.worked()
      } catch (error) {
        outcome.failed(error as Error, 1)
      }
    },
    close: () => undefined,
  }
}

function udp({ host, port }: Address, outcome: Outcome): Transport {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  let waiting: Buffer[] | null = []
  // That a datagram was sent says nothing; that nobody takes it, the kernel tells with one of the next. So it has never worked
  // again, and is told once.
  const sent = (error: Error | null): void => {
    if (error !== null) outcome.failed(error, 1)
  }
  socket.on('error', sent)
  socket.unref()
  // Connected, a record is with the kernel when `send` returns, also on the way out of the process.
  socket.connect(port, host, () => {
    for (const bytes of waiting ?? []) socket.send(bytes, sent)
    waiting = null
  })
  return {
    write(bytes) {
      if (waiting === null) socket.send(bytes, sent)
      else if (waiting.length < MOST_WAITING) waiting.push(bytes)
    },
    close: () => void setImmediate(() => socket.close()),
  }
}

function tcp({ host, port }: Address, outcome: Outcome): Transport {
  let socket: Socket
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const open = (): void => {
    socket = connect(port, host)
    socket.unref()
    socket.on('error', (error) => outcome.failed(error, 0))
    // The server says nothing; what it says all the same must not pile up.
    socket.resume()
    socket.on('close', () => {
      if (!closed) timer = setTimeout(open, RECONNECT_AFTER).unref()
    })
  }
  open()
  return {
    write(bytes) {
      if (socket.destroyed || socket.writableLength > QUEUE_LIMIT)
        outcome.failed(new Error('nobody takes what is sent'), 1)
      else {
        socket.write(bytes, (error) => {
          if (error) outcome.failed(error, 1)
        })
        if (!socket.connecting) outcome.worked()
      }
    },
    close() {
      closed = true
      clearTimeout(timer)
      socket.end()
    },
  }
}

const reason = (error: NodeJS.ErrnoException): string => error.code ?? error.message
