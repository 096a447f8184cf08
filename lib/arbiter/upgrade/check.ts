/** `--check-upgrade`: this version looks whether it could go on where another one is. Changes nothing. */
import { execFileSync } from 'node:child_process'
import { loadConfig } from '../../config/load.ts'
import { describeProblem } from '../../config/problems.ts'
import { resolveApp } from '../../config/resolve-app.ts'
import { loadImage, loadKernel } from '../../kernel/addon.ts'
import { PROBE_VARIABLE, PROBED } from '../../kernel/image.ts'
import { fd } from '../../units.ts'
import { VERSION } from '../../version.ts'
import { readState } from './state.ts'
import type { Passed } from './trial.ts'
import { STATE_VARIABLE } from './words.ts'

/** What is to be printed. Throws an error of one line where this version could not go on. */
export async function checkUpgrade(env: NodeJS.ProcessEnv): Promise<Passed> {
  const number = Number(env[STATE_VARIABLE])
  delete env[STATE_VARIABLE]
  if (!Number.isInteger(number) || number < 3) throw new Error('--check-upgrade is for "monocerosctl upgrade"')
  const { origin } = readState(loadKernel(), fd(number))
  const read = await loadConfig(origin.argv, origin.env, origin.cwd)
  if ('problems' in read) throw new Error(read.problems.map(describeProblem).join('; '))
  const { config, cwd } = read.loaded
  if (config.app === null) throw new Error('app: is missing')
  const app = resolveApp(config.app, cwd)
  if (app.kind === 'missing') throw new Error(`app: ${app.text}`)
  const { path } = loadImage()
  refuseWithoutPreload(path)
  return { version: VERSION, node: process.version, addon: path, main: require.main!.filename }
}

/** A Node with file capabilities, or a static one, cannot be preloaded: signals could be lost, and TERM would end it. */
function refuseWithoutPreload(addon: string): void {
  let code: unknown = 0
  try {
    const env = { ...process.env, LD_PRELOAD: addon, [PROBE_VARIABLE]: '1' }
    execFileSync(process.execPath, ['--version'], { env, stdio: 'ignore' })
  } catch (error) {
    code = (error as { status?: unknown }).status
  }
  if (code !== PROBED) throw new Error(`${process.execPath} cannot be preloaded with ${addon} (LD_PRELOAD)`)
}
