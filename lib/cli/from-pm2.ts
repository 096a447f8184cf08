/** `monoceros from-pm2 [--app NAME] [--env NAME] [FILE]`: a config file from PM2's. See docs/migrating-from-pm2.md. */
import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { readExport } from '../config/file.ts'
import { SetupError } from '../system/setup-error.ts'
import { ms } from '../units.ts'
import { convert } from './pm2/convert.ts'
import { moduleText } from './pm2/print.ts'

/** What PM2 looks for, in its order. */
const FILES = ['ecosystem.config.js', 'ecosystem.config.cjs', 'ecosystem.config.mjs', 'ecosystem.json', 'package.json']
const DEADLINE = ms(30_000)

type Options = { readonly app: string | null; readonly environment: string | null; readonly file: string }

/** The config goes to stdout, what has no counterpart to `say`, one line a key. Throws a `SetupError`. */
export async function fromPm2(
  args: readonly string[],
  io: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
  say: (line: string) => void,
): Promise<string> {
  const { file, ...options } = optionsOf(args, io.cwd)
  const name = basename(file)
  if (/\.ya?ml$/.test(file))
    throw new SetupError(`${name}: YAML is not read; make it JSON first: npx js-yaml ${name} > ecosystem.json`)
  const read = await readExport(file, { ...io, deadline: DEADLINE })
  if (read.kind === 'failed') throw new SetupError(`${name}${read.line === null ? '' : `:${read.line}`} ${read.text}`)
  const exported = name === 'package.json' ? (read.value as { pm2?: unknown } | null)?.pm2 : read.value
  const converted = convert(exported, { ...options, folder: dirname(file) })
  if ('problem' in converted) throw new SetupError(`${name} ${converted.problem}`)
  for (const note of converted.notes) say(note)
  return `// From ${name}, by "monoceros from-pm2".\n${moduleText(converted.settings)}`
}

function optionsOf(args: readonly string[], cwd: string): Options {
  const own: Record<string, string | null> = { '--app': null, '--env': null }
  let file: string | null = null
  for (let at = 0; at < args.length; at += 1) {
    const [flag, attached] = args[at]!.split(/=(.*)/s, 2) as [string, string?]
    if (Object.hasOwn(own, flag)) {
      const value = attached ?? args[++at]
      if (value === undefined || value === '') throw new SetupError(`${flag}: needs a value`)
      own[flag] = value
    } else if (flag.startsWith('-'))
      throw new SetupError(`${flag}: is no flag of from-pm2; allowed: --app NAME, --env NAME and one file`)
    else if (file !== null) throw new SetupError(`from-pm2: takes one file, not ${file} and ${args[at]}`)
    else file = args[at]!
  }
  file ??= FILES.find((one) => existsSync(resolve(cwd, one))) ?? null
  if (file === null) throw new SetupError(`from-pm2: no file named, and none of ${FILES.join(', ')} here`)
  return { app: own['--app']!, environment: own['--env']!, file: resolve(cwd, file) }
}
