/**
 * When the next thing is due in a life. Computed from the state and the policy: there are no timers to start or stop.
 */
import { type Ms, ms } from '../units.ts'
import type { In, Life, LifePolicy } from './life.ts'
import { isClean } from './restart.ts'

/** When `tick` has something to do; null: nothing until an event. */
export function deadline({ phase, tally }: Life, policy: LifePolicy): Ms | null {
  switch (phase.kind) {
    case 'spawning':
      return after(phase.since, policy.spawnTimeout)
    case 'starting':
      return after(phase.since, policy.bootTimeout)
    case 'proving':
      return earliest(proof(phase, policy), after(phase.heard, policy.silence))
    case 'up':
      return earliest(
        isClean(tally) ? null : after(phase.since, policy.restart.stableAfter),
        after(phase.heard, policy.silence),
      )
    case 'leaving':
    case 'waiting':
      return phase.until
    case 'down':
    case 'failed':
    case 'exited':
      return null
  }
}

/** One that has not said that it has lasted has as much time for that as for its boot: it may hardly run. */
function proof(phase: In<'proving'>, { startsecs, bootTimeout }: LifePolicy): Ms | null {
  if (!phase.passed) return after(phase.booting, bootTimeout)
  return phase.lasted ? after(phase.since, startsecs) : after(ms(phase.since + startsecs), bootTimeout)
}

/** The earlier of two deadlines, of which either may be missing. */
export function earliest(one: Ms | null, other: Ms | null): Ms | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}

const after = (since: Ms, time: Ms | null): Ms | null => (time === null ? null : ms(since + time))
