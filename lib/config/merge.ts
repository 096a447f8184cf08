/** Several layers of settings become one configuration. Pure. */
import { resolve } from 'node:path'
import type { Checked, Context } from './codec.ts'
import { faultOf, type Problem, type Source } from './problems.ts'
import { type Config, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts'

/** What one place says about one setting, not yet judged. */
export type Statement = { readonly name: SettingName; readonly value: unknown; readonly source: Source }

export type Merged = {
  readonly config: Config
  /** Where each value came from. */
  readonly sources: Readonly<Record<SettingName, Source>>
}

/**
 * Judges every statement, also those that a later one overrides, and lets the last one of each setting win over its
 * default. Relative paths start at `chdir`, and `chdir` itself at `cwd`.
 */
export function merge(
  statements: readonly Statement[],
  cwd: string,
): Merged | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const config: Record<string, unknown> = {}
  const sources: Record<string, Source> = {}
  const judge = (statement: Statement, context: Context): void => {
    const { name, source } = statement
    const row = SETTINGS[name]
    const checked = row.type.check(statement.value, context) as Checked<unknown>
    if (checked.ok) {
      config[name] = checked.value
      sources[name] = source
    } else problems.push(...checked.faults.map((fault) => faultOf(name, fault, source)))
  }
  const layers = [
    ...SETTING_NAMES.map((name) => ({ name, value: SETTINGS[name].default, source: DEFAULT })),
    ...statements,
  ]
  for (const statement of layers) if (statement.name === 'chdir') judge(statement, { base: cwd })
  const base = resolve(cwd, (config.chdir as string | null | undefined) ?? '.')
  for (const statement of layers) if (statement.name !== 'chdir') judge(statement, { base })
  if (problems.length > 0) return { problems }
  return { config: config as Config, sources: sources as Merged['sources'] }
}

const DEFAULT: Source = { kind: 'default' }
