/** The command with a config file, run to its end. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { dist, type Ended, run, type StartOptions } from '../support/process.ts'

export type Outcome = Ended & { readonly stdout: string; readonly stderr: string[]; readonly folder: string }

/** stderr comes by line, each without the `monoceros: ` in front, the folder shown as `/here`. */
export async function monoceros(
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
  env: StartOptions['env'] = {},
): Promise<Outcome> {
  const folder = temporaryFolder(files)
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(__dirname, '..', '..'), join(folder, 'node_modules', 'monoceros'))
  const found = await run(process.execPath, [dist('cli/monoceros.js'), ...args], { cwd: folder, env })
  const lines = found.stderr.replaceAll(folder, '/here').split('\n').slice(0, -1)
  return { ...found, stderr: lines.map((line) => line.replace(/^monoceros: /, '')), folder }
}

/** The last line when nothing was started. */
export const HINT = 'nothing was started; "monoceros --help" shows every flag'
