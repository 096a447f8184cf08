/** What the companion manager is started with, out of the settings, and when a reload starts it anew. */
import { statSync } from 'node:fs'
import type { ManagerConfig } from '../channel/manager-messages.ts'
import { NODE_OPTIONS_VARIABLE } from '../config/environment.ts'
import type { LoadedConfig } from '../config/load.ts'
import { childEnvironment } from '../kernel/environment.ts'

export function managerConfig({ companions }: LoadedConfig): ManagerConfig {
  const { [NODE_OPTIONS_VARIABLE]: options, ...own } = childEnvironment(process.env)
  return { companions, env: options === undefined ? own : { ...own, NODE_OPTIONS: options } }
}

/** Two equal marks: neither the companions' settings nor the app's file differ (`reloadCompanions: changed`). */
export function companionsMark(loaded: LoadedConfig, appFile: string): string {
  const { mtimeMs, ino } = statSync(appFile)
  return JSON.stringify([loaded.companions, loaded.config.app, appFile, mtimeMs, ino])
}
