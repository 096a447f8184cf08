/**
 * A named set of companions over lives (`life.ts`).
 *
 * Pure: no clock, no kernel, no log, no configuration but what it decides by: a companion's name, the hash of its
 * configuration, its priority and the policy of its life. `spawn` says by the hash which configuration is meant.
 *
 *   manualStop   somebody said `stop`, or its configuration `autostart: false`: it stays down until `start` or
 *                `restart`, whatever is reread meanwhile
 *   next         a changed configuration, stored until the process of the old one is gone
 *   farewell     gone from the configuration: kept until its process is reaped, then forgotten. With an heir (the name
 *                was added again meanwhile) a new companion begins in its place
 *
 * What a command does in each state stands in `companions/commands.ts`, what a new configuration does in
 * `companions/reread.ts`. Starts go out by ascending priority, stops by descending, equal ones in the order of the
 * configuration (stops: reversed); nobody waits for another.
 */
import type { Ms, Pid } from '../units.ts'
import { add, close, type Draft, inStartOrder, inStopOrder, live, open, settle } from './companions/draft.ts'
import { earliest, deadline as lifeDeadline } from './deadline.ts'
import type { How } from './ladder.ts'
import type { Life, LifePolicy } from './life.ts'
import type { Seed } from './random.ts'
import type { Exit, Fault, Trouble } from './trouble.ts'

export type Spec = {
  readonly name: string
  /** Equal hashes: equal configurations. */
  readonly hash: string
  /** Lower ones start first and stop last. */
  readonly priority: number
  /** False: it is STOPPED until somebody says `start`, as if somebody had said `stop`. Default: true. */
  readonly autostart?: boolean
  readonly policy: LifePolicy
}

export type Companion = {
  /** What its process was started from, or the next one will be. */
  readonly spec: Spec
  readonly next: Spec | null
  readonly life: Life
  readonly manualStop: boolean
  readonly farewell: { readonly heir: Spec | null } | null
}

export type Companions = {
  readonly mode: 'idle' | 'running' | 'stopping' | 'stopped'
  /** In the order of the configuration; those who are leaving it last. */
  readonly members: readonly Companion[]
  readonly seed: Seed
}

export type Event =
  | { readonly kind: 'start' }
  /** TERM, INT: each has its own time to stop. QUIT: killed at once. */
  | { readonly kind: 'shutdown'; readonly how: 'graceful' | 'quick' }
  | { readonly kind: 'spawned'; readonly name: string; readonly pid: Pid }
  | { readonly kind: 'spawnFailed'; readonly name: string; readonly error: string }
  | {
      readonly kind: 'exited'
      readonly name: string
      readonly pid: Pid
      readonly exit: Exit
      readonly fault?: Fault | undefined
    }
  | { readonly kind: 'tick' }
  /** The turn came that much later than planned. */
  | { readonly kind: 'gap'; readonly ms: Ms }

/** What is to be done, in this order. The first three are work; the others tell the log and the manager's main. */
export type Effect =
  | { readonly kind: 'spawn'; readonly name: string; readonly hash: string }
  /** See `life.ts`. */
  | { readonly kind: 'abandon'; readonly name: string }
  /** `terminate` is the stop signal of the configuration with that hash, SIGCONT after it; `kill` is SIGKILL. */
  | { readonly kind: 'signal'; readonly name: string; readonly pid: Pid; readonly how: How; readonly hash: string }
  | { readonly kind: 'moved'; readonly name: string; readonly from: Life; readonly to: Life }
  /** It went to FATAL. */
  | { readonly kind: 'fatal'; readonly name: string; readonly trouble: Trouble }
  /** Nothing is left after `shutdown`. */
  | { readonly kind: 'emptied' }

export type Step = { readonly companions: Companions; readonly effects: readonly Effect[] }

/** The specs' names must be unique. */
export function newCompanions(specs: readonly Spec[], seed: Seed): Companions {
  const draft = open({ mode: 'idle', members: [], seed }, 0 as Ms)
  for (const spec of specs) add(draft, spec)
  return close(draft).companions
}

type On<E extends Event['kind']> = Extract<Event, { kind: E }>

export function step(companions: Companions, event: Event, now: Ms): Step {
  const draft = open(companions, now)
  switch (event.kind) {
    case 'start':
      start(draft)
      break
    case 'shutdown':
      shutdown(draft, event)
      break
    case 'tick':
      for (const { spec, life } of [...draft.members]) {
        const due = lifeDeadline(life, spec.policy)
        if (due !== null && now >= due) live(draft, spec.name, event)
      }
      break
    case 'gap':
      for (const { spec } of [...draft.members]) live(draft, spec.name, event)
      break
    default:
      tell(draft, event)
  }
  settle(draft)
  return close(draft)
}

/** When `tick` has something to do; null: nothing until an event. */
export function deadline(companions: Companions): Ms | null {
  let first: Ms | null = null
  for (const { life, spec } of companions.members) first = earliest(first, lifeDeadline(life, spec.policy))
  return first
}

function start(draft: Draft): void {
  if (draft.mode !== 'idle') return
  draft.mode = 'running'
  for (const { spec, manualStop } of inStartOrder(draft.members)) {
    if (!manualStop) live(draft, spec.name, { kind: 'start' })
  }
}

function shutdown(draft: Draft, { how }: On<'shutdown'>): void {
  if (draft.mode === 'stopped') return
  draft.mode = 'stopping'
  for (const { spec } of inStopOrder(draft.members)) {
    live(draft, spec.name, { kind: 'stop', how: how === 'quick' ? 'kill' : 'stop' })
  }
}

/** Something happened to a companion. One that nobody knows came of a request that was abandoned: it is killed. */
function tell(draft: Draft, event: On<'spawned' | 'spawnFailed' | 'exited'>): void {
  const { name } = event
  if (draft.members.some(({ spec }) => spec.name === name)) live(draft, name, event)
  else if (event.kind === 'spawned') draft.effects.push({ kind: 'signal', name, pid: event.pid, how: 'kill', hash: '' })
}
