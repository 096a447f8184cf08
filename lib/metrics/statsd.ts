/** Metrics as statsd reads them, under gunicorn's names: what has happened between two snapshots. Pure. */
import { DURATION_BOUNDS } from '../channel/heartbeat.ts'
import type { Snapshot } from './snapshot.ts'

export type StatsdOptions = {
  /** What names begin with, a dot after it if it has none; '' for nothing. */
  readonly prefix: string
  /** For Datadog: `env:prod,team:web`; '' for nothing. */
  readonly tags: string
}

/** Bytes of a datagram: what an Ethernet frame holds of UDP over IPv6, rounded down. */
const LARGEST = 1400

/** Datagrams of one or several lines each. */
export function statsdPackets(before: Snapshot, now: Snapshot, options: StatsdOptions): string[] {
  const { prefix, tags } = options
  const dotted = prefix === '' || prefix.endsWith('.') ? prefix : `${prefix}.`
  const suffix = tags === '' ? '' : `|#${tags}`
  return packed(changes(before, now).map((line) => `${dotted}${line}${suffix}`))
}

function changes(before: Snapshot, now: Snapshot): string[] {
  return [
    `gunicorn.workers:${now.workers.length}|g`,
    ...counted('gunicorn.requests', before.totals.requests, now.totals.requests),
    ...now.totals.classes.flatMap((count, index) =>
      counted(`gunicorn.request.status.${index + 1}xx`, before.totals.classes[index] ?? 0, count),
    ),
    ...now.totals.durations.flatMap((count, index) => timed(index, count - (before.totals.durations[index] ?? 0))),
    ...Object.entries(now.logged).flatMap(([level, count]) =>
      counted(`gunicorn.log.${level}`, before.logged[level] ?? 0, count),
    ),
  ]
}

const counted = (name: string, before: number, now: number): string[] =>
  now > before ? [`${name}:${now - before}|c`] : []

/** One sample stands for all of a bucket: its upper bound, at the rate of one in so many. */
function timed(index: number, count: number): string[] {
  if (count <= 0) return []
  const bound = DURATION_BOUNDS[index]!
  const value = bound === Infinity ? DURATION_BOUNDS[index - 1]! : bound
  return [`gunicorn.request.duration:${value}|ms${count === 1 ? '' : `|@${Number((1 / count).toPrecision(6))}`}`]
}

function packed(lines: readonly string[]): string[] {
  const packets: string[] = []
  let packet = ''
  for (const line of lines) {
    if (packet !== '' && packet.length + line.length >= LARGEST) {
      packets.push(packet)
      packet = ''
    }
    packet += packet === '' ? line : `\n${line}`
  }
  return packet === '' ? packets : [...packets, packet]
}
