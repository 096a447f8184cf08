/** Loads the settings from everywhere they may come from: at the start, and again at each reload. */
import { statSync } from 'node:fs'
import { type Ms, ms } from '../units.ts'
import { type CompanionConfig, companionConfigs } from './companions.ts'
import { contradictions, doubts } from './consistency.ts'
import { argumentsFrom, defaultsFrom, type Environment, exportAddress } from './environment.ts'
import { readConfigFile } from './file.ts'
import { parseFlags } from './flags.ts'
import { type Merged, merge } from './merge.ts'
import { refusedNodeOptions } from './node-options.ts'
import { faultOf, type Problem, type Source } from './problems.ts'
import { WORKER_HOOKS } from './settings/hooks.ts'
import { type Config, type SettingName, WORKER_SETTING_NAMES, type WorkerSettings } from './settings.ts'
import { unforkableWorkers } from './unforkable.ts'

/** Everything that was decided before the first process starts. */
export type LoadedConfig = {
  readonly config: Config
  /** Where each value came from. */
  readonly sources: Readonly<Record<SettingName, Source>>
  /** The config file, absolute; null when there is none. */
  readonly file: string | null
  /** The working directory of all processes: `chdir`, or where monoceros was started. */
  readonly cwd: string
  /** What workers are sent. */
  readonly worker: WorkerSettings
  /** What the companion manager runs. */
  readonly companions: readonly CompanionConfig[]
  /** One line each: what does not stop us, but somebody should know. */
  readonly warnings: readonly string[]
}

export type Loaded = { readonly loaded: LoadedConfig } | { readonly problems: readonly Problem[] }

/** How long a config file may take to be evaluated. */
export const EVALUATION_DEADLINE: Ms = ms(10_000)

/**
 * `argv` is what follows the program's name. Order: defaults, variables that stand for defaults, config file,
 * `MONOCEROS_CMD_ARGS`, flags. All problems at once; a config file that cannot be read hides none of the others.
 */
export async function loadConfig(
  argv: readonly string[],
  env: Environment,
  cwd: string,
  { deadline = EVALUATION_DEADLINE }: { readonly deadline?: Ms } = {},
): Promise<Loaded> {
  const line = parseFlags(argv)
  const variable = argumentsFrom(env)
  const file = await readConfigFile(line.configFile ?? variable.configFile, { env, cwd, deadline })
  const merged = merge([...defaultsFrom(env), ...file.statements, ...variable.statements, ...line.statements], cwd)
  const address = exportAddress('problems' in merged ? env : { ...env, ...merged.config.env })
  const problems = [
    ...file.problems,
    ...variable.problems,
    ...line.problems,
    ...('problems' in merged ? merged.problems : []),
    ...('text' in address ? [address] : []),
    ...('problems' in merged
      ? []
      : [...missingFolder(merged), ...contradictions(merged), ...unforkableWorkers(merged, env)]),
    ...('problems' in merged ? [] : await refusedNodeOptions(merged, { cwd, deadline })),
  ]
  if (problems.length > 0 || 'problems' in merged || 'text' in address) return { problems }
  const { config, sources } = merged
  const base = config.chdir ?? cwd
  const explicit = WORKER_SETTING_NAMES.filter((name) => sources[name].kind !== 'default')
  const worker = Object.fromEntries(WORKER_SETTING_NAMES.map((name) => [name, config[name]]))
  return {
    loaded: {
      config,
      sources,
      file: file.file,
      cwd: base,
      worker: {
        ...(worker as Omit<WorkerSettings, 'explicit' | 'exportAddress' | 'hooksFile'>),
        explicit,
        exportAddress: address,
        hooksFile: WORKER_HOOKS.some((name) => config.hooks.includes(name)) ? file.file : null,
      },
      companions: companionConfigs(config.companions, {
        cwd: config.companionCwd ?? base,
        env: { ...config.env, ...config.companionEnv },
        user: config.user,
        group: config.group,
        umask: config.umask,
        stopSignal: config.companionStopSignal,
        stopTimeout: config.companionStopTimeout,
        reloadTimeout: config.companionReloadTimeout,
        startsecs: config.companionStartsecs,
        restartDelay: config.companionRestartDelay,
        stdout: config.companionStdout,
        stderr: config.companionStderr,
      }),
      warnings: doubts(merged),
    },
  }
}

/** Everything starts in `chdir`, so it must be there. */
function missingFolder({ config, sources }: Merged): Problem[] {
  const folder = config.chdir
  if (folder === null || isFolder(folder)) return []
  const fault = { kind: 'value', path: [], value: folder, allowed: 'a folder that exists' } as const
  return [faultOf('chdir', fault, sources.chdir)]
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
