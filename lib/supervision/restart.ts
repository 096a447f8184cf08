/**
 * What comes after an exit that nobody asked for: another try (when?), an end, or giving up.
 *
 * Three counts are kept, for three questions:
 *   failures  in a row, until a process was up for `stableAfter`: how long to wait with an exponential delay
 *   boots     in a row that never came good: supervisord's `startretries`
 *   crashes   when the last failures were: the budget of a window
 *
 * An exit before the process came good is a failure whatever its code, and `autorestart` has no say in it (as with
 * supervisord's startsecs). An exit of one that was good is judged by `autorestart` and `exitCodes`.
 *
 * Pure: the random number for the jitter comes out of the tally's seed.
 */
import { type Ms, ms } from '../units.ts'
import { draw, type Seed } from './random.ts'
import type { Exit } from './trouble.ts'

export type Delay =
  | { readonly kind: 'fixed'; readonly delay: Ms }
  /**
   * `first` doubled with each further failure up to `cap`, less a random part of up to `jitter` (0 to 1) of it. The
   * first failure of a process that had been good is answered at once.
   */
  | { readonly kind: 'exponential'; readonly first: Ms; readonly cap: Ms; readonly jitter: number }

/** More than `failures` failures within `window`: give up, or wait until the window has room again. */
export type Budget = { readonly failures: number; readonly window: Ms; readonly beyond: 'fail' | 'wait' }

export type RestartPolicy = {
  /** `unexpected`: only where the exit code is not one of `exitCodes`. A signal is always unexpected. */
  readonly autorestart: 'always' | 'unexpected' | 'never'
  readonly exitCodes: readonly number[]
  readonly delay: Delay
  /** Further tries after a first boot that failed; one more failure is for good. Null: no limit. */
  readonly startretries: number | null
  readonly budget: Budget | null
  /** Failures are forgotten after this time up. */
  readonly stableAfter: Ms
}

export type Tally = {
  readonly failures: number
  readonly boots: number
  /** The latest last; no more than the budget needs. */
  readonly crashes: readonly Ms[]
  readonly seed: Seed
}

export type Verdict =
  | { readonly kind: 'wait'; readonly until: Ms }
  /** It did what it was to do, and no further one is wanted. */
  | { readonly kind: 'over' }
  | { readonly kind: 'fail' }

export const freshTally = (seed: Seed): Tally => ({ failures: 0, boots: 0, crashes: [], seed })

/** Whether a stable time up would change anything. */
export const isClean = (tally: Tally): boolean =>
  tally.failures === 0 && tally.boots === 0 && tally.crashes.length === 0

/** Judges the end of a process that was wanted. `exit` is null where there never was one. */
export function judge(
  tally: Tally,
  ended: { readonly wasGood: boolean; readonly exit: Exit | null },
  now: Ms,
  policy: RestartPolicy,
): { readonly verdict: Verdict; readonly tally: Tally } {
  if (ended.wasGood && ended.exit !== null && !isWantedAgain(ended.exit, policy)) {
    return { verdict: { kind: 'over' }, tally: freshTally(tally.seed) }
  }
  const { value, seed } = draw(tally.seed)
  const failures = tally.failures + 1
  const boots = ended.wasGood ? 0 : tally.boots + 1
  const crashes = within(tally.crashes, now, policy.budget)
  const next: Tally = { failures, boots, crashes, seed }
  if (policy.startretries !== null && boots > policy.startretries) return { verdict: { kind: 'fail' }, tally: next }
  const room = roomAgain(crashes, policy.budget)
  if (room !== null && policy.budget?.beyond === 'fail') return { verdict: { kind: 'fail' }, tally: next }
  const atOnce = ended.wasGood && failures === 1 && policy.delay.kind === 'exponential'
  const until = now + (atOnce ? 0 : delayAfter(failures, value, policy.delay))
  return { verdict: { kind: 'wait', until: ms(Math.max(until, room ?? until)) }, tally: next }
}

/** Whether the exit of a process that was good is followed by another process. */
export function isWantedAgain(exit: Exit, policy: RestartPolicy): boolean {
  if (policy.autorestart !== 'unexpected') return policy.autorestart === 'always'
  return exit.code === null || !policy.exitCodes.includes(exit.code)
}

/** The delay after that many failures in a row; `random` in [0, 1). */
export function delayAfter(failures: number, random: number, delay: Delay): Ms {
  if (delay.kind === 'fixed') return delay.delay
  const full = Math.min(delay.cap, delay.first * 2 ** (failures - 1))
  return ms(Math.round(full * (1 - delay.jitter * random)))
}

function within(crashes: readonly Ms[], now: Ms, budget: Budget | null): readonly Ms[] {
  if (budget === null) return []
  return [...crashes.filter((at) => at + budget.window > now), now].slice(-(budget.failures + 1))
}

/** When a window that is over its budget has room again; null while it is not. */
function roomAgain(crashes: readonly Ms[], budget: Budget | null): Ms | null {
  if (budget === null || crashes.length <= budget.failures) return null
  return ms(crashes[0]! + budget.window)
}
