/** A companion's policy, from the few numbers that are settings. Times in milliseconds. */
import { type Ms, ms } from '../units.ts'
import type { LifePolicy } from './life.ts'
import type { RestartPolicy } from './restart.ts'

/** From the request to the answer; a mold that hangs is found out by it. */
const SPAWN_TIMEOUT = ms(10_000)
/** The time to print a stack. */
const STACK_TIMEOUT = 2_000
/** The time to dump core. */
const ABORT_TIMEOUT = 5_000
const QUICK_TIMEOUT = 2_000
const KILL_EVERY = 1_000

const COMMON = {
  spawnTimeout: SPAWN_TIMEOUT,
  stackTimeout: STACK_TIMEOUT,
  abortTimeout: ABORT_TIMEOUT,
  quickTimeout: QUICK_TIMEOUT,
  killEvery: KILL_EVERY,
} as const

export type CompanionSettings = {
  readonly stopTimeout: Ms
  readonly reloadTimeout: Ms
  readonly startsecs: Ms
  readonly spawnTimeout?: Ms
  readonly restart: RestartPolicy
}

/** Companions say nothing: they are good when they have stayed up. */
export const companionPolicy = (settings: CompanionSettings): LifePolicy => ({
  ...COMMON,
  ...(settings.spawnTimeout !== undefined && { spawnTimeout: settings.spawnTimeout }),
  gracefulTimeout: settings.stopTimeout,
  restartTimeout: settings.reloadTimeout,
  waitReady: false,
  probe: false,
  waitLasted: false,
  bootTimeout: null,
  startsecs: settings.startsecs,
  silence: null,
  restart: settings.restart,
})
