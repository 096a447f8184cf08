/**
 * How a process is made to leave: by ladders. Each rung is something done to it and the time it is given; the last rung
 * is always KILL, repeated until the process is gone (one in uninterruptible sleep survives it for a while).
 *
 * `drain` and `quit` are messages: only a process that announced itself hears them. To another only TERM or KILL is
 * sent, since a program that has not installed its handlers dies of most signals, and USR1 opens Node's inspector.
 */

/** What is done to a process. `terminate` is SIGTERM, or the companion's stop signal. */
export type How = 'drain' | 'quit' | 'terminate' | 'stack' | 'abort' | 'kill'

/** Times a process is given, in milliseconds. */
export type Patience = {
  readonly gracefulTimeout: number
  readonly quickTimeout: number
  readonly restartTimeout: number
  /** From the request for its stack to ABRT: the time to print it. */
  readonly stackTimeout: number
  /** From ABRT to KILL: the time to dump core. */
  readonly abortTimeout: number
  /** From one KILL to the next. */
  readonly killEvery: number
}

/** Why it is to leave. The first four are asked for, from the mildest to the hardest. */
export type Reason = 'stop' | 'restart' | 'quick' | 'kill' | 'silent' | 'hung'

export type Rung = { readonly how: How; readonly time: keyof Patience }

const KILL: Rung = { how: 'kill', time: 'killEvery' }

const HEARING = {
  stop: [{ how: 'drain', time: 'gracefulTimeout' }, KILL],
  restart: [{ how: 'drain', time: 'restartTimeout' }, KILL],
  quick: [{ how: 'quit', time: 'quickTimeout' }, KILL],
  kill: [KILL],
  silent: [{ how: 'stack', time: 'stackTimeout' }, { how: 'abort', time: 'abortTimeout' }, KILL],
  hung: [{ how: 'stack', time: 'stackTimeout' }, { how: 'quit', time: 'quickTimeout' }, KILL],
} satisfies Record<Reason, readonly Rung[]>

const DEAF = {
  stop: [{ how: 'terminate', time: 'gracefulTimeout' }, KILL],
  restart: [{ how: 'terminate', time: 'restartTimeout' }, KILL],
  quick: [{ how: 'terminate', time: 'quickTimeout' }, KILL],
  kill: [KILL],
  silent: [{ how: 'terminate', time: 'quickTimeout' }, KILL],
  hung: [{ how: 'terminate', time: 'quickTimeout' }, KILL],
} satisfies Record<Reason, readonly Rung[]>

/** The rung at that height; above the ladder it is KILL again. */
export function rung(reason: Reason, height: number, announced: boolean): Rung {
  return (announced ? HEARING : DEAF)[reason][height] ?? KILL
}

const SEVERITY = { stop: 0, restart: 0, silent: 1, hung: 1, quick: 1, kill: 2 } satisfies Record<Reason, number>

/** Whether somebody who is leaving for one reason has to be told again for another. */
export const isHarder = (than: Reason, reason: Reason): boolean => SEVERITY[reason] > SEVERITY[than]
