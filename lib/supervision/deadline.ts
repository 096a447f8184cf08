/**
 * When the next thing is due in a life. Computed from the state and the policy: there are no timers to start or stop.
 */
import { type Ms, ms } from '../units.ts'
import type { Life, LifePolicy } from './life.ts'
import { isClean } from './restart.ts'

/** When `tick` has something to do; null: nothing until an event. */
export function deadline({ phase, tally }: Life, policy: LifePolicy): Ms | null {
  switch (phase.kind) {
    case 'spawning':
      return after(phase.since, policy.spawnTimeout)
    case 'starting':
      return after(phase.since, policy.bootTimeout)
    case 'proving':
      return earliest(
        phase.passed ? after(phase.since, policy.startsecs) : after(phase.booting, policy.bootTimeout),
        after(phase.heard, policy.silence),
      )
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

/** The earlier of two deadlines, of which either may be missing. */
export function earliest(one: Ms | null, other: Ms | null): Ms | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}

const after = (since: Ms, time: Ms | null): Ms | null => (time === null ? null : ms(since + time))
