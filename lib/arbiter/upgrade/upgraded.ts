/** What an upgrade has come to, as the image that goes on says it on the control socket. */

import { VERSION } from '../../version.ts'
import type { ArbiterState } from './state.ts'
import { FAILED_VARIABLE } from './words.ts'

export type Upgraded = {
  /** False: the new version did not take over, and the one before it goes on. */
  readonly ok: boolean
  readonly from: string
  readonly to: string
}

export const upgradedFrom = ({ version }: ArbiterState): Upgraded => ({
  ok: process.env[FAILED_VARIABLE] === undefined,
  from: version,
  to: VERSION,
})
