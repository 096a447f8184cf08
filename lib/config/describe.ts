/** Settings as people read them: what stands in `--help`, on the settings page and in `--print-config`. Pure. */
import type { LoadedConfig } from './load.ts'
import { describeSource } from './problems.ts'
import { type AnySetting, flagsOf } from './setting.ts'
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts'

/** A value as it could stand in a config file, without what is secret. */
export function presentable(name: SettingName, value: unknown): unknown {
  const { type } = SETTINGS[name]
  return type.hide === undefined ? type.format(value) : type.hide(value)
}

/** Every setting, as a config file in JSON would say it. */
export const printJson = ({ config }: LoadedConfig): string =>
  `${JSON.stringify(Object.fromEntries(SETTING_NAMES.map((name) => [name, presentable(name, config[name])])), null, 2)}\n`

/** One line a setting: its name, its value, and where that comes from unless it is the default. */
export function printText({ config, sources, file }: LoadedConfig): string {
  const width = Math.max(...SETTING_NAMES.map((name) => name.length))
  const lines = SETTING_NAMES.map((name) => {
    const source = sources[name]
    const origin = source.kind === 'default' ? '' : `  # ${describeSource(source)}`
    return `${name.padEnd(width)} = ${JSON.stringify(presentable(name, config[name]))}${origin}`
  })
  return `# config file: ${file ?? 'none'}\n${lines.join('\n')}\n`
}

/** The flags with their place holder: `-w, --workers N`. Switches show both ways: `--[no-]preload`. */
export function flagText(name: string, row: AnySetting): string {
  const { placeholder, refusable } = row.type
  const flags = flagsOf(name, row)
  if (flags.length === 0) return ''
  if (placeholder === null) return flags.map((flag) => flag.replace(/^--/, '--[no-]')).join(', ')
  const long = flags.find((flag) => flag.startsWith('--'))!
  return `${flags.join(', ')} ${placeholder}${refusable ? `, --no-${long.slice(2)}` : ''}`
}

/** The default as a config file would say it. */
export const defaultText = (row: AnySetting): string =>
  row.default === null ? 'none' : JSON.stringify(row.default).replace(/^"(.*)"$/, '$1')

/** The first sentence. */
export const firstSentence = (doc: string): string => /^.*?[.?!](?=\s[A-Z0-9`]|$)/s.exec(doc)?.[0] ?? doc
