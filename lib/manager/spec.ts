/** What the supervision core needs to know of a companion's configuration. Pure. */
import { createHash } from 'node:crypto'
import type { PreloadConfig } from '../channel/manager-messages.ts'
import type { CompanionConfig } from '../config/companions.ts'
import type { Spec } from '../supervision/companions.ts'
import { companionPolicy } from '../supervision/policies.ts'
import type { Delay } from '../supervision/restart.ts'
import { ms } from '../units.ts'

/** Failures are forgotten after as long a time up as this, or `startsecs` where that is longer. */
const STABLE_AFTER = 10_000
/** The random part of an exponential delay, so that companions that fail together do not try together. */
const JITTER = 0.1

/** A mold says itself what it is not quiet for when its time is over; one that hangs says nothing. */
const MOLD_MARGIN = 5000

export function specOf(
  config: CompanionConfig,
  env: Readonly<Record<string, string>>,
  preload: PreloadConfig | null,
): Spec {
  return {
    name: config.name,
    hash: hashOf(config, env),
    priority: config.priority,
    autostart: config.autostart,
    policy: companionPolicy({
      stopTimeout: config.stopTimeout,
      reloadTimeout: config.reloadTimeout,
      startsecs: config.startsecs,
      // The mold loads all modules before it forks the first companion.
      ...(preload !== null && config.run.kind === 'target' && { spawnTimeout: ms(preload.patience + MOLD_MARGIN) }),
      restart: {
        autorestart: config.autorestart,
        exitCodes: config.exitcodes,
        delay: delayOf(config),
        startretries: config.startretries,
        budget: null,
        stableAfter: ms(Math.max(STABLE_AFTER, config.startsecs)),
      },
    }),
  }
}

function delayOf({ restartBackoff, restartDelay, restartDelayMax }: CompanionConfig): Delay {
  if (restartBackoff === 'fixed') return { kind: 'fixed', delay: restartDelay }
  return { kind: 'exponential', first: restartDelay, cap: restartDelayMax, jitter: JITTER }
}

/** Of everything that a process is started from or judged by, in whatever order a file says it. */
export function hashOf(config: CompanionConfig, env: Readonly<Record<string, string>>): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted({ config, env })))
    .digest('hex')
    .slice(0, 16)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const record = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.keys(record)
      .sort()
      .map((key) => [key, sorted(record[key])]),
  )
}
