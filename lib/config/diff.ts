/** What a reload changes. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { Effect } from './setting.ts'
import { type Config, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts'

export type ConfigDiff = Readonly<Record<Effect, readonly SettingName[]>>

/** The settings whose values differ, by how the change takes effect. */
export function diffConfig(before: Config, after: Config): ConfigDiff {
  const changed = SETTING_NAMES.filter((name) => !isDeepStrictEqual(before[name], after[name]))
  const of = (effect: Effect) => changed.filter((name) => SETTINGS[name].effect === effect)
  return { live: of('live'), workers: of('workers'), restart: of('restart') }
}
