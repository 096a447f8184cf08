/** Metrics as Prometheus reads them: the text exposition format, version 0.0.4. Pure. */
import { DURATION_BOUNDS } from '../channel/heartbeat.ts'
import type { Snapshot, WorkerSample } from './snapshot.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

type Labels = Readonly<Record<string, string | number>>
type Sample = readonly [labels: Labels, value: number]

export function exposition(snapshot: Snapshot): string {
  const { totals, workers } = snapshot
  return [
    family('monoceros_info', 'gauge', 'Versions.', [[{ version: snapshot.version, node: snapshot.node }, 1]]),
    family('monoceros_start_time_seconds', 'gauge', 'When the arbiter started.', [[{}, snapshot.started]]),
    family('monoceros_workers_wanted', 'gauge', 'Workers that there should be.', [[{}, snapshot.wanted]]),
    family('monoceros_workers', 'gauge', 'Workers by state.', by('state', snapshot.states)),
    family('monoceros_generation', 'gauge', 'The generation that is served.', [[{}, snapshot.generation]]),
    family('monoceros_reloads_total', 'counter', 'Reloads by outcome.', by('outcome', snapshot.reloads)),
    family(
      'monoceros_worker_troubles_total',
      'counter',
      'Workers that failed, by cause.',
      by('cause', snapshot.restarts),
    ),
    family('monoceros_requests_total', 'counter', 'Requests of all workers.', [[{}, totals.requests]]),
    family(
      'monoceros_responses_total',
      'counter',
      'Responses of all workers by class of status.',
      totals.classes.map((count, index) => [{ class: `${index + 1}xx` }, count]),
    ),
    histogram('monoceros_request_duration_seconds', 'From the head of a request to the end of its response.', snapshot),
    perWorker('monoceros_worker_requests_in_flight', 'Requests being answered.', workers, ({ inFlight }) => inFlight),
    perWorker('monoceros_worker_connections', 'Open connections.', workers, ({ connections }) => connections),
    perWorker(
      'monoceros_worker_event_loop_lag_seconds',
      'How late the last turn of the event loop was.',
      workers,
      ({ lag }) => lag / 1000,
    ),
    perWorker('monoceros_worker_resident_memory_bytes', 'Resident memory.', workers, ({ rss }) => rss),
    perWorker('monoceros_worker_cpu_seconds_total', 'CPU time.', workers, ({ cpu }) => cpu, 'counter'),
    family(
      'monoceros_listener_queue',
      'gauge',
      'Connections that wait to be accepted.',
      snapshot.listeners.map(({ address, queued }) => [{ address }, queued]),
    ),
    family('monoceros_log_messages_total', 'counter', "Events of the arbiter's log.", by('level', snapshot.logged)),
  ].join('')
}

function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => line(name, ...sample)).join('')}`
}

const by = (label: string, counts: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(counts).map(([value, count]) => [{ [label]: value }, count])

function perWorker(
  name: string,
  help: string,
  workers: readonly WorkerSample[],
  pick: (worker: WorkerSample) => number | null,
  type: 'counter' | 'gauge' = 'gauge',
): string {
  const samples = workers.flatMap((worker): Sample[] => {
    const value = pick(worker)
    return value === null ? [] : [[{ slot: worker.slot, generation: worker.generation }, value]]
  })
  return family(name, type, help, samples)
}

/** Buckets are cumulated: each counts what took at most so long. */
function histogram(name: string, help: string, { totals }: Snapshot): string {
  let count = 0
  const buckets = totals.durations.map((inBucket, index) => {
    count += inBucket
    const bound = DURATION_BOUNDS[index]!
    return line(`${name}_bucket`, { le: bound === Infinity ? '+Inf' : bound / 1000 }, count)
  })
  const ends = line(`${name}_sum`, {}, totals.durationSum / 1000) + line(`${name}_count`, {}, count)
  return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${buckets.join('')}${ends}`
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text))}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
}

const escaped = (text: string): string => text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
