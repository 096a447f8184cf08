/** The command line as statements about settings. Pure. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { isRecord } from './codec.ts'
import type { Statement } from './merge.ts'
import { nearest } from './near.ts'
import { didYouMean, type Problem, type Source } from './problems.ts'
import { type AnySetting, flagsOf } from './setting.ts'
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts'
import { UNOFFERED_FLAGS } from './unoffered.ts'

/** Flags that are no settings. */
export const OWN_FLAGS = {
  '--config': {
    short: '-c',
    placeholder: 'FILE',
    doc: 'The configuration file; without it monoceros.config.{ts,mts,mjs,cjs,js,json}',
  },
  '--check-config': { short: null, placeholder: null, doc: 'Checks the settings and the app file, and exits' },
  '--print-config': {
    short: null,
    placeholder: null,
    doc: 'Prints every setting, and where its value comes from, and exits',
  },
  '--json': { short: null, placeholder: null, doc: 'With --print-config: as JSON' },
  '--help': { short: '-h', placeholder: null, doc: 'Prints this, and exits' },
  '--version': { short: '-v', placeholder: null, doc: 'Prints the version, and exits' },
} as const

export type OwnFlag = keyof typeof OWN_FLAGS

export type CommandLine = {
  readonly statements: readonly Statement[]
  /** Those of `OWN_FLAGS` that are there without a value. */
  readonly own: ReadonlySet<OwnFlag>
  readonly configFile: string | null
  readonly problems: readonly Problem[]
}

type Meaning =
  | { readonly kind: 'own'; readonly flag: OwnFlag }
  | { readonly kind: 'setting'; readonly name: SettingName; readonly negated: boolean }

/** Reads arguments; `sourceOf` says where a flag came from. Never throws: what is wrong is in `problems`. */
export function parseFlags(
  args: readonly string[],
  sourceOf: (flag: string) => Source = (flag) => ({ kind: 'flag', flag }),
): CommandLine {
  const { options, meanings } = vocabulary()
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const problems: Problem[] = []
  const said = new Map<SettingName, Statement>()
  const own = new Set<OwnFlag>()
  const positionals: string[] = []
  const appArgs: string[] = []
  let configFile: string | null = null
  let terminated = false
  let unknown = false
  const complain = (flag: string, key: string | null, text: string) =>
    problems.push({ key, source: sourceOf(flag), text })
  for (const token of tokens) {
    if (token.kind === 'option-terminator') terminated = true
    else if (token.kind === 'positional') (terminated ? appArgs : positionals).push(token.value)
    else {
      const meaning = meanings.get(token.name)
      const flag = token.rawName
      if (meaning === undefined) {
        unknown = true
        complain(flag, null, unknownFlag(flag, [...meanings.keys()]))
      } else if (meaning.kind === 'own') {
        const takesValue = OWN_FLAGS[meaning.flag].placeholder !== null
        if (!takesValue && token.value !== undefined) complain(flag, null, 'takes no value')
        else if (takesValue && !token.value)
          complain(flag, null, `needs a value: ${OWN_FLAGS[meaning.flag].placeholder}`)
        else if (takesValue) configFile = token.value ?? null
        else own.add(meaning.flag)
      } else {
        const { name } = meaning
        const value = readValue(SETTINGS[name], meaning.negated, token.value)
        if (value.ok)
          said.set(name, {
            name,
            value: collect(SETTINGS[name], said.get(name)?.value, value.value),
            source: sourceOf(flag),
          })
        else complain(flag, name, value.text)
      }
    }
  }
  const [app, ...more] = positionals
  if (app !== undefined) said.set('app', { name: 'app', value: app, source: sourceOf('APP') })
  if (terminated) said.set('args', { name: 'args', value: appArgs, source: sourceOf('--') })
  if (more.length > 0 && !unknown)
    complain(`"${more[0]}"`, null, `is one argument too many: the app is "${app}", and arguments for it follow "--"`)
  return { statements: [...said.values()], own, configFile, problems }
}

/** What `parseArgs` is told about the flags, and what each means. */
function vocabulary() {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  const meanings = new Map<string, Meaning>()
  const add = (flag: string, short: string | undefined, takesValue: boolean, meaning: Meaning): void => {
    const name = flag.replace(/^--/, '')
    options[name] = { type: takesValue ? 'string' : 'boolean', ...(short && { short: short.slice(1) }) }
    meanings.set(name, meaning)
  }
  for (const [flag, { short, placeholder }] of Object.entries(OWN_FLAGS))
    add(flag, short ?? undefined, placeholder !== null, { kind: 'own', flag: flag as OwnFlag })
  for (const name of SETTING_NAMES) {
    const row = SETTINGS[name]
    const flags = flagsOf(name, row)
    const short = flags.find((flag) => !flag.startsWith('--'))
    const takesValue = row.type.placeholder !== null
    for (const [index, flag] of flags.filter((one) => one.startsWith('--')).entries())
      add(flag, index === 0 ? short : undefined, takesValue, { kind: 'setting', name, negated: false })
    const long = flags.find((flag) => flag.startsWith('--'))
    if (long !== undefined && (!takesValue || row.type.refusable))
      add(`--no-${long.slice(2)}`, undefined, false, { kind: 'setting', name, negated: true })
  }
  return { options, meanings }
}

function readValue(row: AnySetting, negated: boolean, text: string | undefined) {
  if (negated)
    return text === undefined ? { ok: true as const, value: false } : { ok: false as const, text: 'takes no value' }
  if (row.type.placeholder === null)
    return { ok: true as const, value: text === undefined ? true : row.type.parse(text) }
  if (text === undefined) return { ok: false as const, text: `needs a value: ${row.type.allowed}` }
  return { ok: true as const, value: row.type.parse(text) }
}

/** What a flag that is given several times adds up to. */
function collect(row: AnySetting, before: unknown, value: unknown): unknown {
  if (!row.type.repeatable || before === undefined) return value
  if (Array.isArray(before) && Array.isArray(value)) return [...before, ...value]
  if (isRecord(before) && isRecord(value)) return { ...before, ...value }
  return isRecord(before) ? value : before
}

function unknownFlag(flag: string, known: readonly string[]): string {
  const reason = UNOFFERED_FLAGS[flag]
  if (reason !== undefined) return `is not offered: ${reason}`
  const near = flag.startsWith('--') ? nearest(flag.slice(2), known) : null
  return `no such flag${didYouMean(near && `--${near}`)}`
}
