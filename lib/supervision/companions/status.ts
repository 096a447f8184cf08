/**
 * What `status` answers, one row a companion. Keys are those of the control protocol.
 */
import type { Ms } from '../../units.ts'
import type { Companion, Companions } from '../companions.ts'
import { type StateWord, stateWord, troubleWords } from '../describe.ts'
import { pidOf, troubleOf } from '../life.ts'

export type CompanionStatus = {
  readonly name: string
  readonly state: StateWord
  readonly pid: number | null
  /** Seconds since its process was spawned; null without one. */
  readonly uptime: number | null
  readonly restart_count: number
  readonly exit_count: number
  readonly last_exit_code: number | null
  /** Such as `SIGKILL`. */
  readonly last_exit_signal: string | null
  /** Of the last exit, in seconds since 1970. */
  readonly exited_at: number | null
  readonly manual_stop: boolean
  /** Seconds until the next try in BACKOFF, else null. */
  readonly next_retry_in: number | null
  /** What last went wrong, in words; null once it has been up for a while. */
  readonly reason: string | null
}

/** `wall`: wall-clock time at `now`, in milliseconds since 1970. */
export const status = (companions: Companions, now: Ms, wall: number): readonly CompanionStatus[] =>
  companions.members.map((companion) => statusOf(companion, now, wall))

function statusOf({ spec, life, manualStop }: Companion, now: Ms, wall: number): CompanionStatus {
  const { phase, last } = life
  const trouble = troubleOf(life)
  return {
    name: spec.name,
    state: stateWord(life),
    pid: pidOf(life),
    uptime: 'child' in phase ? seconds(now - phase.child.born) : null,
    restart_count: life.restarts,
    exit_count: life.exits,
    last_exit_code: last?.exit.code ?? null,
    last_exit_signal: last?.exit.signal ?? null,
    exited_at: last === null ? null : seconds(wall - (now - last.at)),
    manual_stop: manualStop,
    next_retry_in: phase.kind === 'waiting' ? seconds(Math.max(0, phase.until - now)) : null,
    reason: trouble === null ? null : troubleWords(trouble),
  }
}

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000
