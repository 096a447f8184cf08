/** Finds the config file and reads what it says. */
import { existsSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { Ms } from '../units.ts'
import { isRecord } from './codec.ts'
import { CONFIG_FILES } from './config-files.ts'
import type { Environment } from './environment.ts'
import { type Evaluated, evaluateFile } from './evaluate.ts'
import { show } from './foreign.ts'
import type { Statement } from './merge.ts'
import { nearest } from './near.ts'
import { didYouMean, type Problem } from './problems.ts'
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts'
import { UNOFFERED_KEYS } from './unoffered.ts'

export type FileResult = {
  /** Absolute; null when there is none. */
  readonly file: string | null
  readonly statements: readonly Statement[]
  readonly problems: readonly Problem[]
}

/** `named` comes from `-c`; a file that is named must be there. */
export async function readConfigFile(
  named: string | null,
  options: { readonly env: Environment; readonly cwd: string; readonly deadline: Ms },
): Promise<FileResult> {
  const { cwd } = options
  const there = CONFIG_FILES.map((name) => resolve(cwd, name)).filter((path) => existsSync(path))
  const file = named !== null ? resolve(cwd, named) : there[0]
  if (file === undefined) return { file: null, statements: [], problems: [] }
  const name = display(file, cwd)
  const fail = (text: string, line: string | null = null): FileResult => ({
    file,
    statements: [],
    problems: [{ key: null, source: { kind: 'file', file: line === null ? name : `${name}:${line}` }, text }],
  })
  if (named === null && there.length > 1)
    return fail(
      `stands beside ${there
        .slice(1)
        .map((path) => display(path, cwd))
        .join(', ')}; keep one, or name one with --config`,
    )
  const read = await readExport(file, options)
  if (read.kind === 'failed') return fail(read.text, read.line)
  if (!isRecord(read.value)) return fail(`exports ${show(read.value)}; allowed: an object of settings`)
  return { file, ...statementsOf(read.value, name) }
}

const display = (file: string, cwd: string): string => {
  const short = relative(cwd, file)
  return short === '' || short.startsWith('..') ? file : short
}

/** What a file exports, or a JSON file holds. A module is evaluated in a process of its own. */
export async function readExport(file: string, options: Parameters<typeof evaluateFile>[1]): Promise<Evaluated> {
  return file.endsWith('.json') ? readJson(file) : readModule(file, options)
}

async function readModule(file: string, options: Parameters<typeof evaluateFile>[1]): Promise<Evaluated> {
  const unreadable = tryRead(file)
  return 'text' in unreadable && unreadable.kind === 'failed' ? unreadable : evaluateFile(file, options)
}

function readJson(file: string): Evaluated {
  const read = tryRead(file)
  if (read.kind === 'failed') return read
  try {
    // Editors of Windows put a byte order mark first, which Node leaves out of a JSON file too.
    return { kind: 'exported' as const, value: JSON.parse(read.text.replace(/^\uFEFF/, '')) as unknown }
  } catch (error) {
    return { kind: 'failed' as const, text: `is not JSON: ${(error as Error).message.split('\n')[0]}`, line: null }
  }
}

function tryRead(file: string) {
  try {
    return { kind: 'read' as const, text: readFileSync(file, 'utf8') }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const text =
      { ENOENT: 'no such file', EACCES: 'no permission to read it', EISDIR: 'is a folder' }[code ?? ''] ?? message
    return { kind: 'failed' as const, text, line: null }
  }
}

function statementsOf(settings: Record<string, unknown>, file: string): Omit<FileResult, 'file'> {
  const source = { kind: 'file', file } as const
  const statements: Statement[] = []
  const problems: Problem[] = []
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue
    if (Object.hasOwn(SETTINGS, name)) statements.push({ name: name as SettingName, value, source })
    else problems.push({ key: name, source, text: unknownKey(name) })
  }
  return { statements, problems }
}

function unknownKey(name: string): string {
  const reason = Object.hasOwn(UNOFFERED_KEYS, name) ? UNOFFERED_KEYS[name] : undefined
  return reason === undefined
    ? `no such setting${didYouMean(nearest(name, SETTING_NAMES))}`
    : `is not offered: ${reason}`
}
