/**
 * A pool of workers: `size` slots, each with one worker that serves it, over lives (`life.ts`).
 *
 * Pure: no clock, no kernel, no log. A command changes what is wanted; an event of a worker changes its life; then the
 * pool is settled (`pool/settle.ts`): what is wanted is compared with what is there, and the difference becomes effects.
 *
 * A member of the pool has a role:
 *
 *   holder     serves its slot; if it dies its life starts another process under the same key
 *   relief     is to take over from a holder that asked to retire, once it is good
 *   candidate  belongs to the generation of a reload that is under way
 *   going      told to leave for good; forgotten when it has
 *
 * and the pool a mode:
 *
 *   idle       not started
 *   running    every slot has a holder, or is about to
 *   drained    WINCH: every worker told to leave, none wanted; `scale`, `reload` and `start` lead out
 *   stopping   every worker told to leave; then `emptied`
 *   stopped    nothing is left
 *
 * A reload boots a new generation beside the old one, in batches (`pool/reload.ts`). Within a slot two generations may
 * be alive at once, but never two processes under one key.
 */
import type { Ms, Pid } from '../units.ts'
import { earliest, deadline as lifeDeadline } from './deadline.ts'
import type { How } from './ladder.ts'
import { isFollowedAtOnce, type Life, type Event as LifeEvent, type LifePolicy, pidOf } from './life.ts'
import * as commands from './pool/commands.ts'
import { type Draft, draftOf, poolOf } from './pool/draft.ts'
import type { Key } from './pool/key.ts'
import { gap, tell, tick } from './pool/members.ts'
import { settle } from './pool/settle.ts'
import type { Seed } from './random.ts'
import type { Exit, Fault, Trouble } from './trouble.ts'

export { type Key, keyText } from './pool/key.ts'

export type Role = 'holder' | 'relief' | 'candidate' | 'going'

export type Member = {
  readonly key: Key
  readonly role: Role
  readonly life: Life
  /** The process that asked to be relieved, and when. */
  readonly retiring: { readonly pid: Pid; readonly since: Ms } | null
}

export type Mode = 'idle' | 'running' | 'drained' | 'stopping' | 'stopped'

/** `batch`: the slots whose candidates are booting; empty between two batches. */
export type Reload = { readonly generation: number; readonly batch: readonly number[] }

export type Pool = {
  readonly mode: Mode
  /** Workers wanted while running, at least 1. */
  readonly size: number
  /** The generation that is served; of a slot that has been switched in a reload, the holder's key says. */
  readonly generation: number
  /** The highest generation so far; the next reload's is one more. */
  readonly latest: number
  readonly reload: Reload | null
  readonly members: readonly Member[]
  /** Some worker was good once: from then on the pool never halts. */
  readonly proven: boolean
  /** What is to be said once: that every slot's holder is good, or that nobody is left. */
  readonly greeting: 'started' | 'reloaded' | 'drained' | null
  readonly seed: Seed
}

/** Commands, and what happened to one worker: `key` and, where there is one, `pid`. */
export type Event =
  | { readonly kind: 'start' }
  /** Out of 1 to `policy.largest`: the nearest. */
  | { readonly kind: 'scale'; readonly to: number }
  /** TTIN is 1, TTOU is -1. */
  | { readonly kind: 'scaleBy'; readonly by: number }
  /** Answered by `reloading`, and at last by `reloaded` or `reloadFailed`, of the same generation. */
  | { readonly kind: 'reload' }
  | { readonly kind: 'stop'; readonly how: 'graceful' | 'quick' }
  | { readonly kind: 'drain' }
  /** That worker wants to be replaced. */
  | { readonly kind: 'retire'; readonly key: Key }
  | { readonly kind: 'spawned'; readonly key: Key; readonly pid: Pid }
  /** `fault`: the app that was to be forked could not be loaded. */
  | { readonly kind: 'spawnFailed'; readonly key: Key; readonly error: string; readonly fault?: Fault }
  | { readonly kind: 'announced'; readonly key: Key; readonly pid: Pid }
  | { readonly kind: 'ready'; readonly key: Key; readonly pid: Pid }
  /** The probe has passed; only where `policy.life.probe` is set. */
  | { readonly kind: 'passed'; readonly key: Key; readonly pid: Pid }
  /** Only where `policy.life.waitLasted` is set. */
  | { readonly kind: 'lasted'; readonly key: Key; readonly pid: Pid }
  | { readonly kind: 'heard'; readonly key: Key; readonly pid: Pid }
  | {
      readonly kind: 'exited'
      readonly key: Key
      readonly pid: Pid
      readonly exit: Exit
      readonly fault?: Fault | undefined
    }
  | { readonly kind: 'tick' }
  /** As in `life.ts`. Comes before the events of the turn's `tick`. */
  | { readonly kind: 'gap'; readonly ms: Ms }

export type ReloadTrouble =
  | Trouble
  /** A newer reload took its place. */
  | { readonly kind: 'superseded'; readonly by: number }
  /** The pool was stopped or drained, or is not running. */
  | { readonly kind: 'stopped' }

/** What is to be done, in this order. The first three are work; the others tell the log and those who wait. */
export type Effect =
  | { readonly kind: 'spawn'; readonly key: Key }
  /** See `life.ts`. */
  | { readonly kind: 'abandon'; readonly key: Key }
  /** `drain` and `quit` are messages, `stack` rings the alarm; the others are signals, each followed by SIGCONT. */
  | { readonly kind: 'signal'; readonly key: Key; readonly pid: Pid; readonly how: How }
  /** A life went into another phase, or through one: for the log (`describe.ts`). */
  | { readonly kind: 'moved'; readonly key: Key; readonly from: Life; readonly to: Life }
  /** Every worker is good, for the first time since `start` (or since the pool was filled again). */
  | { readonly kind: 'started'; readonly generation: number }
  | { readonly kind: 'reloading'; readonly generation: number }
  | { readonly kind: 'reloaded'; readonly generation: number }
  | { readonly kind: 'reloadFailed'; readonly generation: number; readonly trouble: ReloadTrouble }
  /** No worker ever came good: what is left is stopped, and `emptied` follows. */
  | { readonly kind: 'halted'; readonly cause: 'appFailed' | 'bootFailed'; readonly trouble: Trouble }
  /** Nothing is left after `drain`. */
  | { readonly kind: 'drained' }
  /** Nothing is left after `stop` or `halted`. */
  | { readonly kind: 'emptied' }

export type PoolPolicy = {
  readonly life: LifePolicy
  /** How many workers a reload replaces at once; the next batch waits until the old ones are gone. Null: all. */
  readonly reloadStep: number | null
  /** How many retiring workers are replaced at once, at least 1. */
  readonly retireAtOnce: number
  /** How many processes are asked for at once where several are missing, at least 1; the others wait for the answers. */
  readonly spawnsAtOnce: number
  /** The most lives at once, old generations that still drain included; where it is reached, new ones wait. */
  readonly most: number
  /** The largest `size`. */
  readonly largest: number
  /** The pool halts when each worker of the first generation failed to boot that often in a row. */
  readonly bootAttempts: number
}

export type Step = { readonly pool: Pool; readonly effects: readonly Effect[] }

export const newPool = (size: number, seed: Seed): Pool => ({
  mode: 'idle',
  size: Math.max(1, size),
  generation: 0,
  latest: 0,
  reload: null,
  members: [],
  proven: false,
  greeting: null,
  seed,
})

type Command = Exclude<Event['kind'], LifeEvent['kind'] | 'stop' | 'start'> | 'stop' | 'start'
export type On<E extends Event['kind']> = Extract<Event, { kind: E }>
type Cell<E extends Command> = (draft: Draft, event: On<E>) => void

/** Commands by mode. What happens to workers does not depend on the mode. */
export const TABLE = {
  idle: {
    start: commands.begin,
    scale: commands.resize,
    scaleBy: commands.resizeBy,
    reload: commands.refuse,
    stop: commands.stop,
    drain: commands.drain,
    retire: commands.none,
  },
  running: {
    start: commands.none,
    scale: commands.resize,
    scaleBy: commands.resizeBy,
    reload: commands.reload,
    stop: commands.stop,
    drain: commands.drain,
    retire: commands.retire,
  },
  drained: {
    start: commands.begin,
    scale: commands.refill,
    scaleBy: commands.refillBy,
    reload: commands.beginAnew,
    stop: commands.stop,
    drain: commands.none,
    retire: commands.none,
  },
  stopping: {
    start: commands.none,
    scale: commands.none,
    scaleBy: commands.none,
    reload: commands.refuse,
    stop: commands.stop,
    drain: commands.none,
    retire: commands.none,
  },
  stopped: {
    start: commands.begin,
    scale: commands.none,
    scaleBy: commands.none,
    reload: commands.refuse,
    stop: commands.none,
    drain: commands.none,
    retire: commands.none,
  },
} satisfies { readonly [M in Mode]: { readonly [E in Command]: Cell<E> } }

/** One event. A pool that it does not change comes back as the same object. */
export function step(pool: Pool, event: Event, now: Ms, policy: PoolPolicy): Step {
  const draft = draftOf(pool, now, policy)
  switch (event.kind) {
    case 'tick':
      tick(draft)
      break
    case 'gap':
      gap(draft, event.ms)
      break
    case 'spawned':
    case 'spawnFailed':
    case 'announced':
    case 'ready':
    case 'passed':
    case 'lasted':
    case 'heard':
    case 'exited':
      tell(draft, event)
      break
    default: {
      const command = TABLE[pool.mode][event.kind] as (draft: Draft, event: Event) => void
      command(draft, event)
      draft.unsettled = true
    }
  }
  if (draft.unsettled) settle(draft)
  return { pool: poolOf(draft), effects: draft.effects }
}

/** The processes whose end, however they come to it, is answered by another under their key at once. */
export function followed({ mode, reload, members }: Pool, now: Ms, { life: policy }: PoolPolicy): ReadonlySet<Pid> {
  const pids = new Set<Pid>()
  if (mode !== 'running' || reload !== null) return pids
  for (const { role, retiring, life } of members) {
    const pid = role === 'holder' && retiring === null && isFollowedAtOnce(life, now, policy) ? pidOf(life) : null
    if (pid !== null) pids.add(pid)
  }
  return pids
}

/** When `tick` has something to do; null: nothing until an event. */
export function deadline(pool: Pool, policy: PoolPolicy): Ms | null {
  let first: Ms | null = null
  for (const { life } of pool.members) first = earliest(first, lifeDeadline(life, policy.life))
  return first
}
