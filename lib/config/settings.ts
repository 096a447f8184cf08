/** The settings table, whole, and the types that come of it. Pure. */
import type { ListenerAddress } from '../kernel/kernel.ts'
import type { AnySetting, Inputs, Values, WorkerNames } from './setting.ts'
import { APP } from './settings/app.ts'
import { COMPANIONS } from './settings/companions.ts'
import { HOOK_SETTINGS } from './settings/hooks.ts'
import { HTTP } from './settings/http.ts'
import { LOGGING, METRICS } from './settings/logging.ts'
import { PROXIES, TLS } from './settings/proxies.ts'
import { RELOAD } from './settings/reload.ts'
import { SERVER } from './settings/server.ts'
import { SOCKET } from './settings/socket.ts'
import { WORKERS } from './settings/workers.ts'

/** The sections, in the order of the settings page and of `--help`. */
export const SECTIONS = [
  { title: 'App', rows: APP },
  { title: 'Listeners', rows: SOCKET },
  { title: 'Workers', rows: WORKERS },
  { title: 'Preload, reload and stop', rows: RELOAD },
  { title: 'HTTP', rows: HTTP },
  { title: 'Proxies', rows: PROXIES },
  { title: 'TLS', rows: TLS },
  { title: 'Processes', rows: SERVER },
  { title: 'Logs', rows: LOGGING },
  { title: 'Metrics', rows: METRICS },
  { title: 'Hooks', rows: HOOK_SETTINGS },
  { title: 'Companions', rows: COMPANIONS },
] as const

const TABLE = {
  ...APP,
  ...SOCKET,
  ...WORKERS,
  ...RELOAD,
  ...HTTP,
  ...PROXIES,
  ...TLS,
  ...SERVER,
  ...LOGGING,
  ...METRICS,
  ...HOOK_SETTINGS,
  ...COMPANIONS,
}

export type SettingName = keyof typeof TABLE

/** Every row by its name. */
export const SETTINGS: Readonly<Record<SettingName, AnySetting>> = TABLE

export const SETTING_NAMES = Object.keys(TABLE) as readonly SettingName[]

/** Every setting's value: plain data, all paths absolute, durations in milliseconds. */
export type Config = Values<typeof TABLE>

/** What a config file exports. */
export type UserConfig = Inputs<typeof TABLE>

type WorkerName = WorkerNames<typeof TABLE>

/** The settings that a worker needs to know, as plain data. */
export type WorkerSettings = Pick<Config, WorkerName> & {
  /** Those of them that somebody has set, as opposed to defaults: an app's own value gives way to these only. */
  readonly explicit: readonly WorkerName[]
  /** Where an export is served when there is no `bind`. */
  readonly exportAddress: ListenerAddress
  /** The config file, absolute, where it has hooks that run in workers; else null. */
  readonly hooksFile: string | null
}

/** The names of `WorkerSettings` that are settings. */
export const WORKER_SETTING_NAMES = SETTING_NAMES.filter((name) => SETTINGS[name].worker) as readonly WorkerName[]
