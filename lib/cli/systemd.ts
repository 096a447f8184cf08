/** `monoceros systemd [--unit NAME] [--directory DIR] [flags] APP`: unit files for what these flags would run. */
import { statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import { systemAccounts } from '../system/accounts.ts'
import { SetupError } from '../system/setup-error.ts'
import { systemdUnits, type Units } from './systemd-unit.ts'

export type SystemdOptions = {
  readonly unit: string | null
  /** Where to write the files; null: they are printed. */
  readonly directory: string | null
  /** The command line of monoceros itself, without what is for `systemd`. */
  readonly rest: readonly string[]
}

/** Takes the command's own flags out; all others are monoceros's. Throws a `SetupError`. */
export function systemdOptions(args: readonly string[]): SystemdOptions {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const own: Record<string, string | null> = { '--unit': null, '--directory': null }
  const rest: string[] = []
  for (let at = 0; at < args.length; at += 1) {
    const [flag, attached] = splitFlag(args[at]!)
    if (at >= end || !Object.hasOwn(own, flag)) {
      rest.push(args[at]!)
      continue
    }
    const value = attached ?? args[++at]
    if (value === undefined || value === '') throw new SetupError(`${flag}: needs a value`)
    own[flag] = value
  }
  const unit = own['--unit'] ?? null
  if (unit !== null && !UNIT_NAME.test(unit))
    throw new SetupError(`--unit: ${JSON.stringify(unit)} is no name; ${NAMES}`)
  return { unit, directory: own['--directory'] ?? null, rest }
}

const UNIT_NAME = /^[A-Za-z0-9_][\w.-]{0,199}$/
const NAMES = 'letters, digits and "_.-" are allowed'

function splitFlag(argument: string): readonly [string, string?] {
  const equals = argument.indexOf('=')
  return argument.startsWith('--') && equals > 0 ? [argument.slice(0, equals), argument.slice(equals + 1)] : [argument]
}

/** What is printed, which is the files themselves or where they were written. Throws a `SetupError`. */
export function systemdFiles(options: SystemdOptions, loaded: LoadedConfig, cwd: string, program: string): string {
  const { config } = loaded
  const name = options.unit ?? unitName(config.procName ?? basename(cwd))
  const owner = statSync(cwd)
  const units = systemdUnits({
    name,
    loaded,
    command: [process.execPath, program, ...options.rest],
    workingDirectory: cwd,
    user: config.user !== null ? String(config.user) : ownerName(owner.uid),
    group: config.group !== null ? String(config.group) : null,
  })
  const files = filesOf(name, units)
  if (options.directory === null) return files.map(([file, content]) => `# ${file}\n${content}`).join('\n')
  const folder = resolve(cwd, options.directory)
  return files.map(([file, content]) => written(join(folder, file), content)).join('')
}

const filesOf = (name: string, { service, socket }: Units): [string, string][] => [
  [`${name}.service`, service],
  ...(socket === null ? [] : ([[`${name}.socket`, socket]] as [string, string][])),
]

function written(path: string, content: string): string {
  try {
    writeFileSync(path, content)
  } catch (error) {
    throw new SetupError(`--directory: cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`)
  }
  return `${path}\n`
}

/** Whoever owns the app's folder runs it; root's apps get a user of their own. */
const ownerName = (uid: number): string | null =>
  uid === 0 ? null : (systemAccounts().user(String(uid))?.name ?? String(uid))

const unitName = (from: string): string => {
  const name = from.replace(/[^\w.-]+/g, '-').replace(/^[^A-Za-z0-9_]+/, '')
  return name === '' ? 'monoceros-app' : name
}
