/**
 * The cells of the table of `life.ts`, by name. A move never looks at the phase's name: the table has done so.
 */
import { type Ms, ms, type Pid } from '../units.ts'
import { deadline } from './deadline.ts'
import { isHarder, type Reason, rung } from './ladder.ts'
import type { Child, Effect, In, Life, LifePolicy, On, Step } from './life.ts'
import { freshTally, isClean, judge } from './restart.ts'
import type { Ended, Exit, Trouble } from './trouble.ts'

type Living = In<'starting'> | In<'proving'> | In<'up'>
type Resting = In<'down'> | In<'waiting'> | In<'failed'> | In<'exited'>

const NOTHING: readonly Effect[] = []

// ── what is wanted ─────────────────────────────────────────────────────────────────────────────────────────────────

export const none = (life: Life): Step => ({ life, effects: NOTHING })
export const wantUp = (life: Life): Step => none(life.want === 'up' ? life : { ...life, want: 'up' })
export const wantDown = (life: Life): Step => none(life.want === 'down' ? life : { ...life, want: 'down' })

/** Spawns now, with what went wrong before forgotten. */
export const begin = (life: Life, _phase: Resting, _event: unknown, now: Ms): Step =>
  spawn({ ...life, want: 'up', tally: freshTally(life.tally.seed), trouble: null }, now)

export const cancel = (life: Life): Step => none({ ...life, want: 'down', phase: { kind: 'down' } })

export const retry = (life: Life, phase: In<'waiting'>, _event: unknown, now: Ms): Step =>
  now < phase.until ? none(life) : spawn({ ...life, restarts: life.restarts + 1 }, now)

// ── spawning ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** The process is there. Where it is not wanted any more it is killed: it has not begun its work. */
export function adopt(life: Life, _phase: unknown, { pid }: On<'spawned'>, now: Ms, policy: LifePolicy): Step {
  const starting = newborn(pid, now)
  if (life.want === 'down') return leave(life, starting, 'kill', null, now, policy)
  return policy.waitReady ? none({ ...life, phase: starting }) : ready(life, starting, null, now, policy)
}

/** An answer to a request that was abandoned: what came of it goes, and is ours until then. */
export const orphan = (life: Life, _phase: Resting, { pid }: On<'spawned'>, now: Ms, policy: LifePolicy): Step =>
  leave(life, newborn(pid, now), 'kill', { kind: 'spawnTimeout' }, now, policy)

/** The same where no other process is to follow. */
export const leftover = (life: Life, _phase: Resting, { pid }: On<'spawned'>, now: Ms, policy: LifePolicy): Step =>
  leave({ ...life, want: 'down' }, newborn(pid, now), 'kill', null, now, policy)

/** The same, while another process is there: two of one key there must not be. */
export const stray = (life: Life, phase: Living | In<'leaving'>, { pid }: On<'spawned'>): Step =>
  pid === phase.child.pid ? none(life) : { life, effects: [{ kind: 'signal', pid, how: 'kill' }] }

export const spawnFailed = (
  life: Life,
  _phase: unknown,
  { error, fault }: On<'spawnFailed'>,
  now: Ms,
  policy: LifePolicy,
): Step => next(life, { kind: 'spawnFailed', error, fault: fault ?? null }, null, false, now, policy)

export function watchSpawn(life: Life, _phase: unknown, _event: unknown, now: Ms, policy: LifePolicy): Step {
  if (!isDue(life, now, policy)) return none(life)
  const given = next(life, { kind: 'spawnTimeout' }, null, false, now, policy)
  return { life: given.life, effects: [{ kind: 'abandon' }, ...given.effects] }
}

// ── alive ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export const announced = (life: Life, phase: Living): Step =>
  phase.child.announced
    ? none(life)
    : none({ ...life, phase: { ...phase, child: { ...phase.child, announced: true } } })

export function ready(life: Life, phase: In<'starting'>, _event: unknown, now: Ms, policy: LifePolicy): Step {
  const { child, since: booting } = phase
  const passed = !policy.probe
  const lasted = !policy.waitLasted || policy.startsecs === 0
  return prove(life, { kind: 'proving', child, booting, since: now, heard: now, passed, lasted }, now, policy)
}

export const passed = (life: Life, phase: In<'proving'>, _event: unknown, now: Ms, policy: LifePolicy): Step =>
  phase.passed ? none(life) : prove(life, { ...phase, passed: true }, now, policy)

export const lasted = (life: Life, phase: In<'proving'>, _event: unknown, now: Ms, policy: LifePolicy): Step =>
  phase.lasted ? none(life) : prove(life, { ...phase, lasted: true }, now, policy)

export const heard = (life: Life, phase: In<'proving'> | In<'up'>, _event: unknown, now: Ms): Step =>
  phase.heard === now ? none(life) : none({ ...life, phase: { ...phase, heard: now } })

export const watchBoot = (life: Life, phase: In<'starting'>, _event: unknown, now: Ms, policy: LifePolicy): Step =>
  isDue(life, now, policy) ? leave(life, phase, 'hung', { kind: 'bootTimeout' }, now, policy) : none(life)

export function watchProof(life: Life, phase: In<'proving'>, _event: unknown, now: Ms, policy: LifePolicy): Step {
  if (isSilent(phase.heard, now, policy)) return leave(life, phase, 'silent', { kind: 'silent' }, now, policy)
  if (!isDue(life, now, policy)) return none(life)
  if (!phase.passed) return leave(life, phase, 'hung', { kind: 'bootTimeout' }, now, policy)
  if (!phase.lasted) return leave(life, phase, 'hung', { kind: 'bootTimeout', wasReady: true }, now, policy)
  return prove(life, phase, now, policy)
}

export function watchUp(life: Life, phase: In<'up'>, _event: unknown, now: Ms, policy: LifePolicy): Step {
  if (isSilent(phase.heard, now, policy)) return leave(life, phase, 'silent', { kind: 'silent' }, now, policy)
  if (isClean(life.tally) || now < phase.since + policy.restart.stableAfter) return none(life)
  return none({ ...life, tally: freshTally(life.tally.seed), trouble: null })
}

// ── leaving ────────────────────────────────────────────────────────────────────────────────────────────────────────

export const stop = (life: Life, phase: Living, { how }: On<'stop'>, now: Ms, policy: LifePolicy): Step =>
  leave({ ...life, want: 'down' }, phase, how, null, now, policy)

export const restart = (life: Life, phase: Living, _event: unknown, now: Ms, policy: LifePolicy): Step =>
  leave(life, phase, 'restart', null, now, policy)

/** Stopped while it leaves already. */
export function harder(life: Life, phase: In<'leaving'>, { how }: On<'stop'>, now: Ms, policy: LifePolicy): Step {
  const down = wantDown(life).life
  if (!isHarder(phase.reason, how) || isLastRung(phase)) return none(down)
  return put(down, { ...phase, reason: how, height: 0 }, now, policy)
}

export const climb = (life: Life, phase: In<'leaving'>, _event: unknown, now: Ms, policy: LifePolicy): Step =>
  now < phase.until ? none(life) : put(life, { ...phase, height: phase.height + 1 }, now, policy)

// ── gone ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** By itself. */
export function exited(life: Life, phase: Living, event: On<'exited'>, now: Ms, policy: LifePolicy): Step {
  const { exit, fault = null } = event
  const trouble: Trouble = { kind: 'exited', exit, fault }
  return next(buried(life, phase.child, exit, null, trouble, now), trouble, exit, phase.kind === 'up', now, policy)
}

/** After it was told to go. */
export function left(life: Life, phase: In<'leaving'>, { exit }: On<'exited'>, now: Ms, policy: LifePolicy): Step {
  const { child, trouble, wasGood } = phase
  const told = { reason: phase.reason, how: rung(phase.reason, phase.height, child.announced).how }
  const without = buried(life, child, exit, told, trouble, now)
  if (trouble !== null) return next(without, trouble, null, wasGood, now, policy)
  if (life.want === 'down') return none({ ...without, phase: { kind: 'down' } })
  return spawn({ ...without, restarts: without.restarts + 1 }, now)
}

// ── gap ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const postponeSince = (
  life: Life,
  phase: In<'spawning'> | In<'starting'>,
  { ms: gap }: On<'gap'>,
  now: Ms,
): Step => none({ ...life, phase: { ...phase, since: later(phase.since, gap, now) } })

export const postponeProof = (life: Life, phase: In<'proving'>, { ms: gap }: On<'gap'>, now: Ms): Step => {
  const { booting, since, heard } = phase
  const moved = { booting: later(booting, gap, now), since: later(since, gap, now), heard: later(heard, gap, now) }
  return none({ ...life, phase: { ...phase, ...moved } })
}

export const postponeUp = (life: Life, phase: In<'up'>, { ms: gap }: On<'gap'>, now: Ms): Step =>
  none({
    ...life,
    phase: { ...phase, since: later(phase.since, gap, now), heard: later(phase.heard, gap, now) },
  })

export const postponeUntil = (life: Life, phase: In<'leaving'>, { ms: gap }: On<'gap'>, now: Ms): Step => {
  const since = later(phase.since, gap, now)
  return none({ ...life, phase: { ...phase, since, until: ms(phase.until + since - phase.since) } })
}

/** What happened after the gap, in the turn that tells of it, has not been waited for meanwhile. */
const later = (moment: Ms, gap: Ms, now: Ms): Ms => ms(Math.max(moment, Math.min(moment + gap, now)))

// ── helpers ────────────────────────────────────────────────────────────────────────────────────────────────────────

const spawn = (life: Life, now: Ms): Step => ({
  life: { ...life, phase: { kind: 'spawning', since: now } },
  effects: [{ kind: 'spawn' }],
})

const newborn = (pid: Pid, now: Ms): In<'starting'> => ({
  kind: 'starting',
  child: { pid, born: now, announced: false },
  since: now,
})

/** Good, or still on probation. */
function prove(life: Life, phase: In<'proving'>, now: Ms, policy: LifePolicy): Step {
  if (!phase.passed || !phase.lasted || now < phase.since + policy.startsecs) return none({ ...life, phase })
  return none({ ...life, phase: { kind: 'up', child: phase.child, since: now, heard: phase.heard } })
}

function leave(
  life: Life,
  { kind, child }: Living,
  reason: Reason,
  trouble: Trouble | null,
  now: Ms,
  policy: LifePolicy,
): Step {
  const phase = {
    kind: 'leaving',
    child,
    reason,
    height: 0,
    since: now,
    until: now,
    trouble,
    wasGood: kind === 'up',
  } as const
  return put(life, phase, now, policy)
}

/** Onto the rung at the phase's height. */
function put(life: Life, phase: In<'leaving'>, now: Ms, policy: LifePolicy): Step {
  const { how, time } = rung(phase.reason, phase.height, phase.child.announced)
  return {
    life: { ...life, phase: { ...phase, since: now, until: ms(now + policy[time]) } },
    effects: [{ kind: 'signal', pid: phase.child.pid, how }],
  }
}

const isLastRung = ({ reason, height, child }: In<'leaving'>): boolean =>
  rung(reason, height, child.announced).how === 'kill'

function buried(life: Life, child: Child, exit: Exit, told: Ended['told'], trouble: Trouble | null, now: Ms): Life {
  const last: Ended = { pid: child.pid, exit, at: now, lived: ms(now - child.born), told, trouble }
  return { ...life, exits: life.exits + 1, last }
}

/** After something went wrong. */
function next(life: Life, trouble: Trouble, exit: Exit | null, wasGood: boolean, now: Ms, policy: LifePolicy): Step {
  if (life.want === 'down') return none({ ...life, trouble, phase: { kind: 'down' } })
  const { verdict, tally } = judge(life.tally, { wasGood, exit }, now, policy.restart)
  switch (verdict.kind) {
    case 'over':
      return none({ ...life, tally, trouble: null, phase: { kind: 'exited' } })
    case 'fail':
      return none({ ...life, tally, trouble, phase: { kind: 'failed' } })
    case 'wait': {
      const waiting: Life = { ...life, tally, trouble }
      if (verdict.until <= now) return spawn({ ...waiting, restarts: waiting.restarts + 1 }, now)
      return none({ ...waiting, phase: { kind: 'waiting', until: verdict.until } })
    }
  }
}

function isDue(life: Life, now: Ms, policy: LifePolicy): boolean {
  const due = deadline(life, policy)
  return due !== null && now >= due
}

const isSilent = (heardAt: Ms, now: Ms, policy: LifePolicy): boolean =>
  policy.silence !== null && now >= heardAt + policy.silence
