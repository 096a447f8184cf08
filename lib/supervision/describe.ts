/**
 * Lives in words: for status, for logs, for `why`.
 */
import type { Ms } from '../units.ts'
import type { Life } from './life.ts'
import type { Ended, Exit, Trouble } from './trouble.ts'

/** supervisord's words for states, as users see them. */
export const STATE_WORDS = ['STOPPED', 'STARTING', 'RUNNING', 'STOPPING', 'BACKOFF', 'EXITED', 'FATAL'] as const
export type StateWord = (typeof STATE_WORDS)[number]

export function stateWord({ want, phase }: Life): StateWord {
  switch (phase.kind) {
    case 'down':
      return 'STOPPED'
    case 'spawning':
      return want === 'up' ? 'STARTING' : 'STOPPING'
    case 'starting':
    case 'proving':
      return 'STARTING'
    case 'up':
      return 'RUNNING'
    case 'leaving':
      return 'STOPPING'
    case 'waiting':
      return 'BACKOFF'
    case 'failed':
      return 'FATAL'
    case 'exited':
      return 'EXITED'
  }
}

/** Who sent the signal that ended a process, where that is known. */
export type Sender = { readonly pid: number; readonly uid: number } | 'out of memory'

/** Such as `exited with code 1` or `was killed by SIGSEGV (core dumped)`. */
export function exitWords({ code, signal, core }: Exit): string {
  if (signal === null) return `exited with code ${code}`
  return `was killed by ${signal}${core ? ' (core dumped)' : ''}`
}

const OWN_FAULT = ''

/** Signals that a process gets by its own fault, and the one that the kernel sends when memory runs out. */
const STRANGE: { readonly [S in NodeJS.Signals]?: string } = {
  SIGKILL: ', not sent by monoceros (out of memory?)',
  SIGABRT: OWN_FAULT,
  SIGBUS: OWN_FAULT,
  SIGFPE: OWN_FAULT,
  SIGILL: OWN_FAULT,
  SIGSEGV: OWN_FAULT,
  SIGSYS: OWN_FAULT,
  SIGTRAP: OWN_FAULT,
}

/** How a process ended and by whose doing. */
export function endedWords({ exit, told, trouble }: Ended, sender?: Sender): string {
  const how = exitWords(exit)
  if (sender === 'out of memory') return `${how}: out of memory`
  if (sender !== undefined) return `${how}, sent by process ${sender.pid} of user ${sender.uid}`
  if (told === null) return how + (exit.signal === null ? '' : (STRANGE[exit.signal] ?? ', not sent by monoceros'))
  const hadTime = told.how === 'kill' && told.reason !== 'kill'
  const why = trouble === null ? ' as it was told' : ` because it ${troubleWords(trouble)}`
  return how + why + (hadTime ? ', and had not left in time' : '')
}

/** Continues "it …". */
export function troubleWords(trouble: Trouble): string {
  switch (trouble.kind) {
    case 'exited':
      return trouble.fault === null ? exitWords(trouble.exit) : trouble.fault.text
    case 'spawnFailed':
      return `could not be started: ${trouble.error}`
    case 'spawnTimeout':
      return 'was not started in time'
    case 'bootTimeout':
      return trouble.wasReady
        ? 'was ready, but then blocked its event loop for bootTimeout'
        : 'was not ready in time (bootTimeout)'
    case 'silent':
      return 'gave no sign of life'
  }
}

/** What comes next, such as `next try in 5 s (3 failures in a row)`. */
export function nextWords({ want, phase, tally }: Life, now: Ms): string {
  switch (phase.kind) {
    case 'spawning':
      return want === 'up' ? 'another one is started now' : 'it is not wanted any more'
    case 'waiting':
      return `next try in ${durationWords(phase.until - now)} (${countWords(tally.failures)})`
    case 'failed':
      return `given up after ${countWords(tally.failures)}`
    case 'exited':
      return 'no other one is wanted'
    case 'down':
      return 'it stays down'
    case 'starting':
    case 'proving':
    case 'up':
      return 'it is there'
    case 'leaving':
      return 'it is told to leave'
  }
}

/** Such as `250 ms`, `5 s`, `2 min`. */
export function durationWords(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`
  if (milliseconds < 120_000) return `${Math.round(milliseconds / 100) / 10} s`
  return `${Math.round(milliseconds / 6000) / 10} min`
}

const countWords = (failures: number): string => (failures === 1 ? '1 failure' : `${failures} failures in a row`)
