/** Settings that need a restart keep their value over a reload. Pure. */
import { diffConfig } from '../../config/diff.ts'
import type { LoadedConfig } from '../../config/load.ts'
import type { Config } from '../../config/settings.ts'

/** The new settings, but for those whose row says that a change needs a restart. */
export function keepUntilRestart(old: LoadedConfig, read: LoadedConfig): LoadedConfig {
  const kept = Object.fromEntries(
    diffConfig(old.config, read.config).restart.map((name) => [name, old.config[name]]),
  ) as Partial<Config>
  const forWorkers = Object.fromEntries(Object.entries(kept).filter(([name]) => name in read.worker))
  return {
    ...read,
    cwd: old.cwd,
    config: { ...read.config, ...kept },
    worker: { ...read.worker, ...forWorkers },
  }
}
