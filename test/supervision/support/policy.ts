import type { LifePolicy } from '../../../lib/supervision/life.ts'
import type { PoolPolicy } from '../../../lib/supervision/pool.ts'
import type { RestartPolicy } from '../../../lib/supervision/restart.ts'
import { ms } from '../../../lib/units.ts'

export const RESTART: RestartPolicy = {
  autorestart: 'always',
  exitCodes: [0],
  delay: { kind: 'exponential', first: ms(100), cap: ms(3000), jitter: 0 },
  startretries: null,
  budget: null,
  stableAfter: ms(2000),
}

/** A worker's, with numbers that are easy to tell apart. */
export const POLICY: LifePolicy = {
  gracefulTimeout: 3000,
  quickTimeout: 500,
  restartTimeout: 4000,
  stackTimeout: 200,
  abortTimeout: 300,
  killEvery: 100,
  spawnTimeout: ms(700),
  waitReady: true,
  probe: false,
  waitLasted: false,
  bootTimeout: ms(5000),
  startsecs: ms(50),
  silence: ms(1000),
  restart: RESTART,
}

/** Of a pool whose workers are good as soon as they are ready. */
export const POOL: PoolPolicy = {
  life: { ...POLICY, startsecs: ms(0) },
  reloadStep: null,
  retireAtOnce: 1,
  spawnsAtOnce: 4,
  most: 8,
  largest: 4,
  bootAttempts: 3,
}

/** A companion's. */
export const COMPANION: LifePolicy = {
  ...POLICY,
  waitReady: false,
  bootTimeout: null,
  silence: null,
  startsecs: ms(1000),
  restart: { ...RESTART, autorestart: 'unexpected', delay: { kind: 'fixed', delay: ms(5000) }, startretries: 3 },
}
