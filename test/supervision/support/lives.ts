/**
 * A life in each phase and an event of each kind, for tests of `lib/supervision/life.ts`.
 */
import {
  type Event,
  type EventName,
  type Life,
  type LifePolicy,
  newLife,
  type Phase,
  type PhaseName,
  step,
} from '../../../lib/supervision/life.ts'
import { type Ms, ms, pid } from '../../../lib/units.ts'
import { POLICY } from './policy.ts'

export const NOW = ms(10_000)
export const child = { pid: pid(7), born: NOW, announced: true }

export const PHASES = {
  down: { kind: 'down' },
  spawning: { kind: 'spawning', since: NOW },
  starting: { kind: 'starting', child, since: NOW },
  proving: { kind: 'proving', child, booting: NOW, since: NOW, heard: NOW, passed: true, lasted: true },
  up: { kind: 'up', child, since: NOW, heard: NOW },
  leaving: {
    kind: 'leaving',
    child,
    reason: 'stop',
    height: 0,
    since: NOW,
    until: ms(NOW + 3000),
    trouble: { kind: 'silent' },
    wasGood: true,
  },
  waiting: { kind: 'waiting', until: ms(NOW + 800) },
  failed: { kind: 'failed' },
  exited: { kind: 'exited' },
} satisfies { readonly [P in PhaseName]: Extract<Phase, { kind: P }> }

export const EVENTS = {
  start: { kind: 'start' },
  stop: { kind: 'stop', how: 'quick' },
  restart: { kind: 'restart' },
  spawned: { kind: 'spawned', pid: pid(8) },
  spawnFailed: { kind: 'spawnFailed', error: 'ENOENT' },
  announced: { kind: 'announced', pid: pid(7) },
  ready: { kind: 'ready', pid: pid(7) },
  passed: { kind: 'passed', pid: pid(7) },
  lasted: { kind: 'lasted', pid: pid(7) },
  heard: { kind: 'heard', pid: pid(7) },
  exited: { kind: 'exited', pid: pid(7), exit: { code: 1, signal: null, core: false } },
  tick: { kind: 'tick' },
  gap: { kind: 'gap', ms: ms(60_000) },
} satisfies { readonly [E in EventName]: Extract<Event, { kind: E }> }

export const lifeIn = (phase: Phase): Life => ({ ...newLife(1), want: phase.kind === 'down' ? 'down' : 'up', phase })

/** What an event makes of a life: the phase, what is wanted, and the effects; `=` where it is the same object. */
export function outcome(life: Life, event: Event, now: Ms, policy: LifePolicy = POLICY): string {
  const given = step(life, event, now, policy)
  const effects = given.effects.map((effect) =>
    effect.kind === 'signal' ? `${effect.how} ${effect.pid}` : effect.kind,
  )
  const phase = given.life === life ? '=' : `${given.life.phase.kind} ${given.life.want}`
  if (effects.length === 0) return phase
  return `${phase}${phase === '=' ? '' : ':'} ${effects.join(', ')}`
}
