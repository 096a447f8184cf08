/** What the companion manager is started with, out of the settings, and when a reload starts it anew. */
import { statSync } from 'node:fs'
import type { ManagerConfig } from '../../channel/manager-messages.ts'
import type { CompanionConfig } from '../../config/companions.ts'
import { NODE_OPTIONS_VARIABLE } from '../../config/environment.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { childEnvironment } from '../../kernel/environment.ts'
import { type OpenFiles, openFilesAtStart } from '../../system/open-files.ts'

export function managerConfig({ companions, config }: LoadedConfig): ManagerConfig {
  const { [NODE_OPTIONS_VARIABLE]: options, ...own } = childEnvironment(process.env)
  const atStart = limitAtStart()
  const { preload, bootTimeout: patience, preloadOpen: open, preloadFallback: fallback } = config
  return {
    preload: preload ? { patience, open, fallback } : null,
    companions: atStart === null ? companions : companions.map((each) => limited(each, atStart)),
    env: options === undefined ? own : { ...own, NODE_OPTIONS: options },
  }
}

let openFiles: { readonly atStart: OpenFiles | null } | undefined

/** Looked up once: whoever started us may be gone at the next reload. */
export function limitAtStart(): OpenFiles | null {
  openFiles ??= { atStart: openFilesAtStart() }
  return openFiles.atStart
}

/** As the image before this one has found it. */
export function rememberLimit(atStart: OpenFiles | null): void {
  openFiles = { atStart }
}

/** Programs get the limit that we were started with, unless they have one of their own; Node raises it anyway. */
const limited = (companion: CompanionConfig, limit: OpenFiles): CompanionConfig =>
  companion.run.kind === 'target' || companion.limits.some(({ resource }) => resource === 'NOFILE')
    ? companion
    : { ...companion, limits: [...companion.limits, { resource: 'NOFILE', ...limit }] }

/** Two equal marks: neither the companions' settings nor the app's file differ (`reloadCompanions: changed`). */
export function companionsMark({ companions, config }: LoadedConfig, appFile: string): string {
  const { mtimeMs, ino } = statSync(appFile)
  return JSON.stringify([companions, config.preload, config.app, appFile, mtimeMs, ino])
}
