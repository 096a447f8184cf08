/**
 * Whether the first generation is hopeless. Only a pool of which no worker ever came good halts; another backs off.
 *
 * What an app says of itself, and a boot that hung for the whole boot timeout, will be the same the next time: there one
 * failure of every worker is enough. A worker that just died may have better luck: `bootAttempts` of each.
 */
import { isAtRest, troubleOf } from '../life.ts'
import type { Member } from '../pool.ts'
import type { Trouble } from '../trouble.ts'
import type { Draft } from './draft.ts'
import { ofRole } from './members.ts'

export function judgeBoot(
  draft: Draft,
): { readonly cause: 'appFailed' | 'bootFailed'; readonly trouble: Trouble } | null {
  if (draft.proven || draft.reload !== null) return null
  const holders = ofRole(draft, 'holder')
  if (holders.length < draft.size || !holders.every((holder) => isHopeless(draft, holder))) return null
  const troubles = holders.map(({ life }) => troubleOf(life)!)
  const ofApp = troubles.find(isOfApp)
  return ofApp ? { cause: 'appFailed', trouble: ofApp } : { cause: 'bootFailed', trouble: troubles[0]! }
}

function isHopeless(draft: Draft, { life }: Member): boolean {
  const trouble = troubleOf(life)
  if (trouble === null) return false
  return (
    isOfApp(trouble) ||
    trouble.kind === 'bootTimeout' ||
    trouble.kind === 'spawnTimeout' ||
    life.tally.boots >= draft.policy.bootAttempts ||
    isAtRest(life)
  )
}

const isOfApp = (trouble: Trouble): boolean =>
  (trouble.kind === 'exited' || trouble.kind === 'spawnFailed') && trouble.fault !== null
