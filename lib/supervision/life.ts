/**
 * The life of one supervised process.
 *
 * Pure: no clock, no kernel, no log. `now` is the monotonic clock. What is wanted (`want`) is kept apart from what is
 * (`phase`): "stopping in order to restart" is `leaving` with `want: up`.
 *
 *   down      no process and none to come: never started, or stopped
 *   spawning  a process was asked for; the answer has a deadline. A request that is given up is abandoned: whoever
 *             carries it out sees to it that nothing comes of it, or kills what does
 *   starting  the process is there and has not said that it is ready; the boot timeout runs
 *   proving   ready (at once where nobody waits for that word); good once the probe has passed and `startsecs` are over,
 *             on our clock and, where it tells, on its own
 *   up        good. After `stableAfter` earlier failures are forgotten
 *   leaving   told to go, on a ladder of ever harder means (`ladder.ts`); `trouble` says what was wrong with it, or
 *             null where it was merely asked to
 *   waiting   no process; the next try comes when `until` has passed
 *   failed    given up; only `start` or `restart` leads out
 *   exited    it ended by itself, and the policy does not ask for another
 *
 * A pid is in the state from `spawned` until `exited` and never longer, so that no signal reaches a recycled pid; an
 * event that carries another pid changes nothing. Timers are not effects: `deadline` says when `tick` is due.
 */
import type { Ms, Pid } from '../units.ts'
import type { How, Patience, Reason } from './ladder.ts'
import * as moves from './moves.ts'
import type { Seed } from './random.ts'
import { freshTally, judge, type RestartPolicy, type Tally } from './restart.ts'
import type { Ended, Exit, Fault, Trouble } from './trouble.ts'

/** A process that is there. `born`: when it was spawned. `announced`: it hears its channel. */
export type Child = { readonly pid: Pid; readonly born: Ms; readonly announced: boolean }

export type Phase =
  | { readonly kind: 'down' }
  | { readonly kind: 'spawning'; readonly since: Ms }
  | { readonly kind: 'starting'; readonly child: Child; readonly since: Ms }
  /** `booting`: since when the boot timeout runs. `since`: ready since. `passed`: the probe has. `lasted`: it has said so. */
  | {
      readonly kind: 'proving'
      readonly child: Child
      readonly booting: Ms
      readonly since: Ms
      readonly heard: Ms
      readonly passed: boolean
      readonly lasted: boolean
    }
  | { readonly kind: 'up'; readonly child: Child; readonly since: Ms; readonly heard: Ms }
  | {
      readonly kind: 'leaving'
      readonly child: Child
      readonly reason: Reason
      readonly height: number
      /** When it was put on the rung of that height, and how long it is left there. */
      readonly since: Ms
      readonly until: Ms
      readonly trouble: Trouble | null
      readonly wasGood: boolean
    }
  | { readonly kind: 'waiting'; readonly until: Ms }
  | { readonly kind: 'failed' }
  | { readonly kind: 'exited' }

export type Life = {
  readonly want: 'up' | 'down'
  readonly phase: Phase
  readonly tally: Tally
  /** What last went wrong, until a stable time up or a `start`. */
  readonly trouble: Trouble | null
  readonly last: Ended | null
  /** Processes that came after one before them, by themselves or by `restart`. */
  readonly restarts: number
  readonly exits: number
}

export type Event =
  /** Wanted up. Out of `waiting`, `failed` and `exited` at once, and with failures forgotten. */
  | { readonly kind: 'start' }
  /** Wanted down. A harder `how` than before is done at once; a milder one is not heard. */
  | { readonly kind: 'stop'; readonly how: 'stop' | 'quick' | 'kill' }
  /** Wanted up, by another process than now. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'spawned'; readonly pid: Pid }
  | { readonly kind: 'spawnFailed'; readonly error: string; readonly fault?: Fault }
  | { readonly kind: 'announced'; readonly pid: Pid }
  | { readonly kind: 'ready'; readonly pid: Pid }
  | { readonly kind: 'passed'; readonly pid: Pid }
  | { readonly kind: 'lasted'; readonly pid: Pid }
  | { readonly kind: 'heard'; readonly pid: Pid }
  | { readonly kind: 'exited'; readonly pid: Pid; readonly exit: Exit; readonly fault?: Fault | undefined }
  | { readonly kind: 'tick' }
  /** For some of that time before now nobody ran: what a process was given time for is given as much more. */
  | { readonly kind: 'gap'; readonly ms: Ms }

/**
 * What is to be done, in this order. `signal`: SIGCONT follows each TERM and ABRT (and a companion's stop signal); that
 * belongs to whoever sends, as part of sending.
 */
export type Effect =
  | { readonly kind: 'spawn' }
  /** The request to spawn is given up: nothing may come of it. */
  | { readonly kind: 'abandon' }
  | { readonly kind: 'signal'; readonly pid: Pid; readonly how: How }

export type LifePolicy = Patience & {
  readonly spawnTimeout: Ms
  /** Whether the process says that it is ready. */
  readonly waitReady: boolean
  /** Whether `passed` is waited for. */
  readonly probe: boolean
  /**
   * Whether `lasted` is waited for: that it has itself seen `startsecs` go by. One that a busy machine did not let run has
   * not stayed up so long: it may be about to exit.
   */
  readonly waitLasted: boolean
  /** From spawned until ready and passed. Null: no limit. */
  readonly bootTimeout: Ms | null
  /** How long it must stay up after it was ready to be good. */
  readonly startsecs: Ms
  /** The longest time without a sign of life, counted from ready. Null: no limit. */
  readonly silence: Ms | null
  readonly restart: RestartPolicy
}

export type Step = { readonly life: Life; readonly effects: readonly Effect[] }

export const newLife = (seed: Seed): Life => ({
  want: 'down',
  phase: { kind: 'down' },
  tally: freshTally(seed),
  trouble: null,
  last: null,
  restarts: 0,
  exits: 0,
})

export type PhaseName = Phase['kind']
export type EventName = Event['kind']
export type In<P extends PhaseName> = Extract<Phase, { kind: P }>
export type On<E extends EventName> = Extract<Event, { kind: E }>
export type Move<P extends PhaseName, E extends EventName> = (
  life: Life,
  phase: In<P>,
  event: On<E>,
  now: Ms,
  policy: LifePolicy,
) => Step

/** What only a process says, where there is none. */
const NOBODY = {
  announced: moves.none,
  ready: moves.none,
  passed: moves.none,
  lasted: moves.none,
  heard: moves.none,
  exited: moves.none,
} satisfies { readonly [E in EventName]?: Move<PhaseName, E> }

/** Every cell has a name; `none` is an event that means nothing in that phase. */
export const TABLE = {
  down: {
    ...NOBODY,
    start: moves.begin,
    stop: moves.none,
    restart: moves.begin,
    spawned: moves.leftover,
    spawnFailed: moves.none,
    tick: moves.none,
    gap: moves.none,
  },
  spawning: {
    ...NOBODY,
    start: moves.wantUp,
    stop: moves.wantDown,
    restart: moves.wantUp,
    spawned: moves.adopt,
    spawnFailed: moves.spawnFailed,
    tick: moves.watchSpawn,
    gap: moves.postponeSince,
  },
  starting: {
    start: moves.none,
    stop: moves.stop,
    restart: moves.restart,
    spawned: moves.stray,
    spawnFailed: moves.none,
    announced: moves.announced,
    ready: moves.ready,
    passed: moves.none,
    lasted: moves.none,
    heard: moves.none,
    exited: moves.exited,
    tick: moves.watchBoot,
    gap: moves.postponeSince,
  },
  proving: {
    start: moves.none,
    stop: moves.stop,
    restart: moves.restart,
    spawned: moves.stray,
    spawnFailed: moves.none,
    announced: moves.announced,
    ready: moves.none,
    passed: moves.passed,
    lasted: moves.lasted,
    heard: moves.heard,
    exited: moves.exited,
    tick: moves.watchProof,
    gap: moves.postponeProof,
  },
  up: {
    start: moves.none,
    stop: moves.stop,
    restart: moves.restart,
    spawned: moves.stray,
    spawnFailed: moves.none,
    announced: moves.announced,
    ready: moves.none,
    passed: moves.none,
    lasted: moves.none,
    heard: moves.heard,
    exited: moves.exited,
    tick: moves.watchUp,
    gap: moves.postponeUp,
  },
  leaving: {
    start: moves.wantUp,
    stop: moves.harder,
    restart: moves.wantUp,
    spawned: moves.stray,
    spawnFailed: moves.none,
    announced: moves.none,
    ready: moves.none,
    passed: moves.none,
    lasted: moves.none,
    heard: moves.none,
    exited: moves.left,
    tick: moves.climb,
    gap: moves.postponeUntil,
  },
  waiting: {
    ...NOBODY,
    start: moves.begin,
    stop: moves.cancel,
    restart: moves.begin,
    spawned: moves.orphan,
    spawnFailed: moves.none,
    tick: moves.retry,
    gap: moves.none,
  },
  failed: {
    ...NOBODY,
    start: moves.begin,
    stop: moves.wantDown,
    restart: moves.begin,
    spawned: moves.orphan,
    spawnFailed: moves.none,
    tick: moves.none,
    gap: moves.none,
  },
  exited: {
    ...NOBODY,
    start: moves.begin,
    stop: moves.wantDown,
    restart: moves.begin,
    spawned: moves.leftover,
    spawnFailed: moves.none,
    tick: moves.none,
    gap: moves.none,
  },
} satisfies { readonly [P in PhaseName]: { readonly [E in EventName]: Move<P, E> } }

/** One event. A life that it does not change comes back as the same object. */
export function step(life: Life, event: Event, now: Ms, policy: LifePolicy): Step {
  if ('pid' in event && event.kind !== 'spawned' && event.pid !== pidOf(life)) return moves.none(life)
  const move = TABLE[life.phase.kind][event.kind] as Move<PhaseName, EventName>
  return move(life, life.phase, event, now, policy)
}

/** The process of this life, where there is one. */
export const pidOf = ({ phase }: Life): Pid | null => ('child' in phase ? phase.child.pid : null)

/** The same life, but that its process, where it has one, is the last. It is not told to go. */
export const lastOne = (life: Life): Life => ({ ...life, want: 'down' })

/** Whether the process of this life, once it has ended by itself, however it does, is followed by another at once. */
export function isFollowedAtOnce({ want, phase, tally }: Life, now: Ms, { restart }: LifePolicy): boolean {
  if (want === 'down' || phase.kind !== 'up' || restart.autorestart !== 'always') return false
  const { verdict } = judge(tally, { wasGood: true, exit: null }, now, restart)
  return verdict.kind === 'wait' && verdict.until <= now
}

/** Nothing is there, nothing will come by itself. */
export const isAtRest = ({ phase }: Life): boolean =>
  phase.kind === 'down' || phase.kind === 'failed' || phase.kind === 'exited'

/** What is wrong with it now, or was when it last failed. */
export const troubleOf = ({ phase, trouble }: Life): Trouble | null =>
  (phase.kind === 'leaving' ? phase.trouble : null) ?? trouble
