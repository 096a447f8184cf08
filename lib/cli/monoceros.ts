#!/usr/bin/env node
/** The command `monoceros`: reads the settings, and runs the arbiter. See docs/settings.md and docs/exit-codes.md. */
import { CHECK_FLAG, STATE_VARIABLE } from '../arbiter/upgrade/words.ts'
import { printJson, printText } from '../config/describe.ts'
import { argumentsFrom } from '../config/environment.ts'
import { type OwnFlag, parseFlags } from '../config/flags.ts'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { describeProblem, type Problem } from '../config/problems.ts'
import { resolveApp } from '../config/resolve-app.ts'
import { tlsProblems } from '../config/tls-files.ts'
import { EXIT_CODE } from '../exit-codes.ts'
import { SetupError } from '../system/setup-error.ts'
import { workingFolder } from '../system/working-folder.ts'
import { VERSION } from '../version.ts'
import { fromPm2 } from './from-pm2.ts'
import { helpText } from './help.ts'
import { systemdFiles, systemdOptions } from './systemd.ts'

type Io = { readonly argv: readonly string[]; readonly env: NodeJS.ProcessEnv; readonly cwd: string }

async function main(given: Io): Promise<number> {
  if (given.argv[0] === 'from-pm2' && !given.argv.includes('--help'))
    return print(await fromPm2(given.argv.slice(1), given, say))
  const isSystemd = given.argv[0] === 'systemd'
  const systemd = isSystemd ? systemdOptions(given.argv.slice(1)) : null
  const io = systemd === null ? given : { ...given, argv: systemd.rest }
  const wanted = new Set<OwnFlag>([...parseFlags(io.argv).own, ...argumentsFrom(io.env).own])
  if (wanted.has('--help')) return print(helpText(process.stdout.columns ?? 80))
  if (wanted.has('--version')) return print(`monoceros ${VERSION} (Node ${process.version})\n`)
  if (wanted.has('--json') && !wanted.has('--print-config')) return refuse([LONE_JSON])
  const found = await loadConfig(io.argv, io.env, io.cwd)
  if ('problems' in found) return refuse(found.problems)
  const { loaded } = found
  const looksOnly = wanted.has('--check-config') || wanted.has('--print-config')
  if (looksOnly) for (const warning of loaded.warnings) say(`warning: ${warning}`)
  if (wanted.has('--print-config')) return print(wanted.has('--json') ? printJson(loaded) : printText(loaded))
  const missing = withoutApp(loaded)
  if (missing !== null) return missing
  if (wanted.has('--check-config')) return check(loaded)
  if (systemd !== null) return print(systemdFiles(systemd, loaded, io.cwd, __filename))
  const { runArbiter } = await import('../arbiter/main.ts')
  // Nothing that is still open keeps a service that has stopped.
  process.exit(await runArbiter(loaded, io))
}

/** `--check-config`, of settings that were read well. */
async function check({ config, file }: LoadedConfig): Promise<number> {
  const problems = tlsProblems(config)
  for (const problem of problems) say(problem)
  if (problems.length > 0) return EXIT_CODE.usage
  if (config.preload) {
    const [{ loadKernel }, { testPreload }] = await Promise.all([
      import('../kernel/addon.ts'),
      import('../mold/self-test.ts'),
    ])
    const why = await testPreload(loadKernel())
    if (why !== null) say(`preload: ${why}${config.preloadFallback ? '; workers would be started one by one' : ''}`)
    if (why !== null && !config.preloadFallback) return EXIT_CODE.usage
  }
  return print(`monoceros: the settings are good${file ? ` (${file})` : ''}\n`)
}

/** The exit code where there is no app to run. */
function withoutApp({ config, cwd }: LoadedConfig): number | null {
  if (config.app === null) return refuse([{ key: null, source: { kind: 'flag', flag: 'APP' }, text: NO_APP }])
  const app = resolveApp(config.app, cwd)
  if (app.kind === 'found') return null
  say(`app: ${app.text}`)
  return EXIT_CODE.app
}

const NO_APP = 'is missing; needed: a file such as "server.js", or "app.js:createApp" for an export'

const LONE_JSON: Problem = { key: null, source: { kind: 'flag', flag: '--json' }, text: 'belongs to --print-config' }

function refuse(problems: readonly Problem[]): number {
  for (const problem of problems) say(describeProblem(problem))
  say('nothing was started; "monoceros --help" shows every flag')
  return EXIT_CODE.usage
}

function print(text: string): number {
  process.stdout.write(text)
  return EXIT_CODE.done
}

const say = (line: string): boolean => process.stderr.write(`monoceros: ${line}\n`)

async function start(): Promise<number> {
  const upgrade = await upgradeStep()
  if (upgrade !== null) return upgrade
  let cwd: string
  try {
    cwd = workingFolder(process.env)
  } catch {
    say('the working directory does not exist any more')
    return EXIT_CODE.usage
  }
  return main({ argv: process.argv.slice(2), env: process.env, cwd })
}

/** What another image or version of ours has executed this one for; null: nothing, it is to start. */
async function upgradeStep(): Promise<number | null> {
  if (process.env[STATE_VARIABLE] === undefined) return null
  if (process.argv[2] !== CHECK_FLAG) return (await import('../arbiter/upgrade/resume.ts')).resumeArbiter()
  const { checkUpgrade } = await import('../arbiter/upgrade/check.ts')
  // Whatever a running arbiter needs must load.
  await import('../arbiter/upgrade/resume.ts')
  try {
    return print(`${JSON.stringify(await checkUpgrade(process.env))}\n`)
  } catch (error) {
    say((error as Error).message)
    return EXIT_CODE.usage
  }
}

/** No descriptor is left, of this process or of the machine. */
const isFullTable = (error: unknown): error is Error =>
  ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException | null)?.code ?? '')

// A reader that leaves early (`monoceros --help | head`) is no failure.
process.stdout.on('error', () => undefined)

start().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof SetupError) {
      say(error.message)
      process.exit(EXIT_CODE.usage)
    }
    if (isFullTable(error)) {
      say(`${error.message}: the limit of open files is too low (ulimit -n; LimitNOFILE= of systemd)`)
      process.exit(EXIT_CODE.usage)
    }
    say(`this should not have happened: ${error instanceof Error ? error.stack : String(error)}`)
    process.exit(EXIT_CODE.broken)
  },
)
