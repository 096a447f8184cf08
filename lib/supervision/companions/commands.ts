/**
 * What an operator asks of one companion, by the state it is in:
 *
 *              start            stop                    restart
 *   STOPPED    spawned now      ok, nothing to do       spawned now
 *   STARTING   ok, nothing      stop signal, STOPPING   stop signal, STOPPING, then spawned at once
 *   RUNNING    ok, nothing      stop signal, STOPPING   stop signal, STOPPING, then spawned at once
 *   STOPPING   refused          ok; no restart follows  refused
 *   BACKOFF    spawned now      STOPPED                 spawned now
 *   EXITED     spawned now      ok, nothing to do       spawned now
 *   FATAL      spawned now      ok, nothing to do       spawned now
 *
 * Where there is no process yet (a mold may have to be loaded first) a companion that is STARTING is STOPPED, or asked for
 * anew, at once. `stop` sets manualStop in every row; `start` and `restart` clear it wherever they are not refused: what is refused
 * changes nothing. None of them rereads the configuration.
 */
import type { Ms } from '../../units.ts'
import type { Companion, Companions, Step } from '../companions.ts'
import { type StateWord, stateWord } from '../describe.ts'
import type { Event as LifeEvent } from '../life.ts'
import { close, type Draft, live, open, settle } from './draft.ts'

export type Command = { readonly kind: 'start' | 'stop' | 'restart'; readonly name: string }

export type Answer = { readonly ok: true; readonly message: string } | { readonly ok: false; readonly error: string }

type Cell = {
  /** What becomes of manualStop; null: the command is refused. */
  readonly manualStop: boolean | null
  readonly event: LifeEvent | null
  readonly message: string
}

const begin: Cell = { manualStop: false, event: { kind: 'start' }, message: 'started' }
const bounce: Cell = { manualStop: false, event: { kind: 'restart' }, message: 'restarting' }
const end: Cell = { manualStop: true, event: { kind: 'stop', how: 'stop' }, message: 'stopping' }
const cancel: Cell = { ...end, message: 'stopped' }
const stillEnding: Cell = { ...end, message: 'already stopping' }
const refused: Cell = { manualStop: null, event: null, message: 'is stopping; retry' }
const isStarting: Cell = { manualStop: false, event: null, message: 'already starting' }
const isRunning: Cell = { manualStop: false, event: null, message: 'already running' }
const isStopped: Cell = { manualStop: true, event: null, message: 'already stopped' }
const hasExited: Cell = { manualStop: true, event: null, message: 'not running (EXITED)' }
const hasFailed: Cell = { manualStop: true, event: null, message: 'not running (FATAL)' }

export const COMMANDS = {
  STOPPED: { start: begin, stop: isStopped, restart: begin },
  STARTING: { start: isStarting, stop: end, restart: bounce },
  RUNNING: { start: isRunning, stop: end, restart: bounce },
  STOPPING: { start: refused, stop: stillEnding, restart: refused },
  BACKOFF: { start: begin, stop: cancel, restart: begin },
  EXITED: { start: begin, stop: hasExited, restart: begin },
  FATAL: { start: begin, stop: hasFailed, restart: begin },
} satisfies { readonly [S in StateWord]: { readonly [C in Command['kind']]: Cell } }

export function command(companions: Companions, asked: Command, now: Ms): Step & { readonly answer: Answer } {
  const draft = open(companions, now)
  const answer = obey(draft, asked)
  settle(draft)
  return { ...close(draft), answer }
}

function obey(draft: Draft, { kind, name }: Command): Answer {
  const at = draft.members.findIndex(({ spec }) => spec.name === name)
  const member: Companion | undefined = draft.members[at]
  if (member === undefined) return { ok: false, error: `unknown companion ${name}` }
  if (draft.mode !== 'running' && kind !== 'stop') return { ok: false, error: `${name}: the manager is ${draft.mode}` }
  const { manualStop, event, message } = COMMANDS[stateWord(member.life)][kind]
  if (manualStop === null) return { ok: false, error: `${name} ${message}` }
  draft.members[at] = { ...member, manualStop }
  if (event !== null) live(draft, name, event)
  return { ok: true, message: `${name} ${message}` }
}
