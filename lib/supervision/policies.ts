/**
 * Policies as the arbiter and the manager want them, from the few numbers that are settings. Times in milliseconds.
 */
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

export type WorkerSettings = {
  readonly gracefulTimeout: Ms
  /** Null: no limit. */
  readonly bootTimeout: Ms | null
  /** Silence; null: no limit. */
  readonly timeout: Ms | null
  readonly startsecs: Ms
  readonly probe: boolean
}

/** Workers are always wanted again: they back off, and never fail for good. */
export const workerPolicy = (settings: WorkerSettings): LifePolicy => ({
  ...COMMON,
  gracefulTimeout: settings.gracefulTimeout,
  restartTimeout: settings.gracefulTimeout,
  waitReady: true,
  probe: settings.probe,
  bootTimeout: settings.bootTimeout,
  startsecs: settings.startsecs,
  silence: settings.timeout,
  restart: {
    autorestart: 'always',
    exitCodes: [],
    delay: { kind: 'exponential', first: ms(500), cap: ms(30_000), jitter: 0.25 },
    startretries: null,
    budget: { failures: 20, window: ms(60_000), beyond: 'wait' },
    stableAfter: ms(2_000),
  },
})

export type CompanionSettings = {
  readonly stopTimeout: Ms
  readonly reloadTimeout: Ms
  readonly startsecs: Ms
  readonly restart: RestartPolicy
}

/** Companions say nothing: they are good when they have stayed up. */
export const companionPolicy = (settings: CompanionSettings): LifePolicy => ({
  ...COMMON,
  gracefulTimeout: settings.stopTimeout,
  restartTimeout: settings.reloadTimeout,
  waitReady: false,
  probe: false,
  bootTimeout: null,
  startsecs: settings.startsecs,
  silence: null,
  restart: settings.restart,
})
