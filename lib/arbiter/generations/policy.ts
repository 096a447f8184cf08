/** What the pool and the lives of our own processes go by, out of the settings. Pure. */
import { CELLS } from '../../channel/heartbeat.ts'
import type { CompanionConfig } from '../../config/companions.ts'
import type { Config } from '../../config/settings.ts'
import type { LifePolicy } from '../../supervision/life.ts'
import type { PoolPolicy } from '../../supervision/pool.ts'
import { type Ms, ms } from '../../units.ts'

/** The request to spawn is answered at once; only a mold takes time. */
const SPAWN_TIMEOUT = ms(10_000)
/** A mold says itself that it is not quiet when `bootTimeout` is over; one that hangs says nothing. */
const MOLD_MARGIN = 5000
/** After a quick stop's message, until KILL. */
const QUICK_TIMEOUT = ms(2000)
/** To print a stack; then ABRT. */
const STACK_TIMEOUT = ms(1000)
/** To dump core after ABRT; then KILL. */
const ABORT_TIMEOUT = ms(3000)
/** Between two KILLs of a process that does not die. */
const KILL_EVERY = ms(1000)
/** After this time up a crash is no part of a loop. */
const STABLE_AFTER = ms(10_000)
const JITTER = 0.25
/** Two, because a worker that just died may have better luck. */
const BOOT_ATTEMPTS = 2
export const LARGEST = 512
/** Who was forked ahead has a row of the heartbeat memory, too: one from a mold, one from the mold of the code to come. */
const SPARES = 2
/**
 * `spawn` returns when the child has its own program. Where hundreds of processes start, each waits its turn for a CPU,
 * and the arbiter with it: so it looks after everything else in between.
 */
const SPAWNS_AT_ONCE = 8

/** What the manager may take beyond the longest time that one of its companions has. */
const MANAGER_MARGIN = 1000
const HOOKS_MARGIN = 1000
const WARD_BOOT = ms(30_000)

const HARD = {
  stackTimeout: STACK_TIMEOUT,
  abortTimeout: ABORT_TIMEOUT,
  killEvery: KILL_EVERY,
  spawnTimeout: SPAWN_TIMEOUT,
} as const

export function poolPolicy(config: Config): PoolPolicy {
  const { gracefulTimeout, bootTimeout, startsecs, timeout, crashLimit } = config
  return {
    life: {
      gracefulTimeout,
      restartTimeout: gracefulTimeout,
      quickTimeout: ms(Math.min(QUICK_TIMEOUT, gracefulTimeout)),
      ...HARD,
      // The mold loads the app before it forks the first worker.
      spawnTimeout: config.preload ? ms(bootTimeout + MOLD_MARGIN) : SPAWN_TIMEOUT,
      waitReady: true,
      probe: config.readyPath !== null,
      waitLasted: true,
      bootTimeout,
      startsecs,
      // A worker that is stopped in a debugger gives no sign of life.
      silence: timeout === 0 || config.inspect ? null : timeout,
      restart: {
        autorestart: 'always',
        exitCodes: [],
        delay: { kind: 'exponential', first: config.restartDelay, cap: config.restartDelayMax, jitter: JITTER },
        startretries: null,
        budget: crashLimit === 0 ? null : { failures: crashLimit, window: config.crashWindow, beyond: 'wait' },
        stableAfter: STABLE_AFTER,
      },
    },
    reloadStep: config.reloadStep === 0 ? null : config.reloadStep,
    retireAtOnce: 1,
    // Those who wait for a mold wait for the same one.
    spawnsAtOnce: config.preload ? LARGEST : SPAWNS_AT_ONCE,
    most: CELLS - SPARES,
    largest: LARGEST,
    bootAttempts: BOOT_ATTEMPTS,
  }
}

/** The manager waits for its companions, each with its own deadline; it is always wanted again. */
export function managerPolicy(companions: readonly CompanionConfig[]): LifePolicy {
  return wardPolicy(ms(Math.max(0, ...companions.map(({ stopTimeout }) => stopTimeout)) + MANAGER_MARGIN))
}

/** The process that runs hooks is told to leave when none runs, or after one that may take its time. */
export const hooksPolicy = (hookTimeout: Ms): LifePolicy => wardPolicy(ms(hookTimeout + HOOKS_MARGIN))

/** One process of our own that is always wanted again. `longest`: until it has left by itself. */
function wardPolicy(longest: Ms): LifePolicy {
  return {
    ...HARD,
    gracefulTimeout: longest,
    restartTimeout: longest,
    quickTimeout: QUICK_TIMEOUT,
    waitReady: true,
    probe: false,
    waitLasted: false,
    bootTimeout: WARD_BOOT,
    startsecs: ms(0),
    silence: null,
    restart: {
      autorestart: 'always',
      exitCodes: [],
      delay: { kind: 'exponential', first: ms(250), cap: ms(30_000), jitter: JITTER },
      startretries: null,
      budget: null,
      stableAfter: STABLE_AFTER,
    },
  }
}
