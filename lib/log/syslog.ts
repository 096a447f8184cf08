/**
 * Records for syslog. Pure.
 *
 * To a socket of this machine (/dev/log): `<PRI>Jan  2 03:04:05 tag[pid]: text`, local time, as libc's syslog(3) writes it.
 * Over the network: RFC 5424, in UDP as it is (RFC 5426), in TCP with its length before it (RFC 6587 §3.4.1).
 */
import { MONTHS } from './access-time.ts'
import type { Level } from './format.ts'

/** RFC 5424 §6.2.1, table 1; `authpriv` and `ftp` as in syslog(3). */
export const FACILITIES = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const

export type Facility = keyof typeof FACILITIES

/** Table 2. */
const SEVERITIES = { critical: 2, error: 3, warning: 4, info: 6, debug: 7 } as const satisfies Record<Level, number>

/** Bytes of one record at most: more than every receiver must take (RFC 5424 §6.1), less than a datagram may have. */
export const LONGEST_RECORD = 8_192

export type SyslogRecord = {
  /** Milliseconds since the epoch, and the minutes that local time is ahead of UTC. */
  readonly time: number
  readonly zone: number
  readonly facility: Facility
  readonly level: Level
  readonly host: string
  readonly tag: string
  readonly pid: number
  /** One line, its control characters escaped. */
  readonly text: string
}

export type SyslogTransport = 'unix' | 'udp' | 'tcp'

/** The bytes of one record, cut where it is too long. */
export function syslogBytes(record: SyslogRecord, transport: SyslogTransport): Buffer {
  const body = cut(Buffer.from(transport === 'unix' ? local(record) : network(record)))
  return transport === 'tcp' ? Buffer.concat([Buffer.from(`${body.length} `), body]) : body
}

function local({ time, zone, tag, pid, text, ...rest }: SyslogRecord): string {
  const at = new Date(time + zone * 60_000)
  const clock = at.toISOString().slice(11, 19)
  const date = `${MONTHS[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2)}`
  return `<${priority(rest)}>${date} ${clock} ${tag}[${pid}]: ${text}`
}

function network({ time, host, tag, pid, text, ...rest }: SyslogRecord): string {
  const head = `<${priority(rest)}>1 ${new Date(time).toISOString()} ${name(host, 255)} ${name(tag, 48)} ${pid} - -`
  return `${head} ${text}`
}

const priority = ({ facility, level }: Pick<SyslogRecord, 'facility' | 'level'>): number =>
  FACILITIES[facility] * 8 + SEVERITIES[level]

/** Printable ASCII without spaces, or the dash for nothing (§6). */
const name = (text: string, longest: number): string => text.replace(/[^\x21-\x7e]+/g, '-').slice(0, longest) || '-'

/** At the end of a character: a byte that goes on with one begins with the bits 10. */
function cut(bytes: Buffer): Buffer {
  if (bytes.length <= LONGEST_RECORD) return bytes
  let end = LONGEST_RECORD
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end)
}
