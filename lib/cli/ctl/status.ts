/** `status`: workers and companions, as both sockets tell it. Pure. */
import type { Success } from '../../control/protocol.ts'
import { type Cell, type Colour, size, table, uptime } from './table.ts'

/** Rows as the sockets give them; a value that is not there is shown as `-`. */
export type Row = Readonly<Record<string, unknown>>

export type Status = {
  /** The arbiter's answer. */
  readonly arbiter: Success | null
  readonly workers: readonly Row[]
  readonly companions: readonly Row[]
}

/** Joins the answers of both sockets. */
export function joinStatus(arbiter: Success | null, manager: Success | null): Status {
  return { arbiter, workers: rowsOf(arbiter, 'workers'), companions: rowsOf(manager, 'companions') }
}

export function statusText(status: Status, colours: boolean): string {
  const parts = [
    status.arbiter === null ? '' : `${arbiterLine(status.arbiter)}\n`,
    status.workers.length > 0 ? workerTable(status.workers, colours) : '',
    status.companions.length > 0 ? companionTable(status.companions, colours) : '',
  ]
  return parts.filter((part) => part !== '').join('\n')
}

/** Whether everything shown runs, but for workers of an old generation that are on their way out. */
export const allRun = ({ workers, companions }: Status): boolean =>
  [...workers.filter(({ role }) => role === undefined || role === 'holder'), ...companions].every(
    ({ state }) => state === 'RUNNING',
  )

function arbiterLine(answer: Success): string {
  const facts = [
    `arbiter: pid ${shown(answer.pid)}`,
    typeof answer.uptime === 'number' ? `up ${uptime(answer.uptime)}` : null,
    answer.generation === undefined ? null : `generation ${shown(answer.generation)}`,
    answer.version === undefined ? null : `monoceros ${shown(answer.version)}`,
  ]
  return facts.filter((fact) => fact !== null).join(', ')
}

const workerTable = (rows: readonly Row[], colours: boolean): string =>
  table(
    [
      'WORKER',
      'STATE',
      'PID',
      'GENERATION',
      ...(hasMolds(rows) ? ['MOLD'] : []),
      'UPTIME',
      'REQUESTS',
      'IN FLIGHT',
      'MEMORY',
      'CPU',
    ],
    rows.map((row) => [
      shown(row.slot),
      stateCell(row.state),
      shown(row.pid),
      shown(row.generation),
      ...(hasMolds(rows) ? [shown(row.mold)] : []),
      number(row.uptime, uptime),
      shown(row.requests),
      shown(row.in_flight),
      number(row.rss, size),
      number(row.cpu, (percent) => `${percent.toFixed(percent < 10 ? 1 : 0)} %`),
    ]),
    colours,
  )

/** Some worker was forked from a later mold of its generation than the first (`reforkAfter`). */
const hasMolds = (rows: readonly Row[]): boolean => rows.some(({ mold }) => typeof mold === 'number' && mold > 1)

const companionTable = (rows: readonly Row[], colours: boolean): string =>
  table(
    ['COMPANION', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'NOTE'],
    rows.map((row) => [
      shown(row.name),
      stateCell(row.state),
      shown(row.pid),
      number(row.uptime, uptime),
      shown(row.restart_count),
      note(row),
    ]),
    colours,
  )

/** What a reader would ask next, for a companion that does not run as it should. */
function note(row: Row): string {
  if (row.state === 'RUNNING' || row.state === 'STARTING') return ''
  const parts = [
    typeof row.reason === 'string' ? row.reason : lastExit(row),
    row.manual_stop === true ? 'stopped by command' : null,
    typeof row.next_retry_in === 'number' ? `next try in ${row.next_retry_in.toFixed(1)} s` : null,
  ]
  return parts.filter((part) => part !== null).join('; ')
}

function lastExit(row: Row): string | null {
  if (typeof row.last_exit_signal === 'string') return `ended by ${row.last_exit_signal}`
  return typeof row.last_exit_code === 'number' ? `exit code ${row.last_exit_code}` : null
}

const COLOUR: Readonly<Record<string, Colour>> = {
  RUNNING: 'green',
  STARTING: 'yellow',
  STOPPING: 'yellow',
  BACKOFF: 'red',
  FATAL: 'red',
  STOPPED: 'grey',
  EXITED: 'grey',
}

const stateCell = (state: unknown): Cell => ({ text: shown(state), colour: COLOUR[String(state)] ?? 'grey' })

const shown = (value: unknown): string => (value === null || value === undefined ? '-' : String(value))

const number = (value: unknown, format: (value: number) => string): string =>
  typeof value === 'number' ? format(value) : '-'

const rowsOf = (answer: Success | null, key: string): Row[] =>
  Array.isArray(answer?.[key]) ? (answer[key] as Row[]) : []
