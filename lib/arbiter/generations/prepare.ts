/** Makes a generation of the settings: where its program is, what it sees, who it runs as. */

import { readLimits } from '../../config/cgroup.ts'
import { NODE_OPTIONS_VARIABLE } from '../../config/environment.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { resolveApp } from '../../config/resolve-app.ts'
import type { Config } from '../../config/settings.ts'
import { heapOption, workerCount } from '../../config/sizing.ts'
import { tlsProblems } from '../../config/tls-files.ts'
import { childEnvironment } from '../../kernel/environment.ts'
import { resolveIdentity } from '../../system/identity.ts'
import { SetupError } from '../../system/setup-error.ts'
import type { Listener } from '../listeners/listeners.ts'
import type { Generation } from './generation.ts'
import type { Program } from './plan.ts'

/** Throws a `SetupError` where the app's file, the user or the group does not exist, or no TLS is possible. */
export function prepareGeneration(loaded: LoadedConfig, listeners: readonly Listener[]): Generation {
  const { config, worker: settings } = loaded
  const problems = tlsProblems(config)
  if (problems.length > 0) throw new SetupError(problems.join('; '))
  const limits = readLimits()
  const size = workerCount(config.workers, limits)
  const { NODE_OPTIONS: variable = '' } = workerEnvironment(config, null)
  const heap = heapOption(limits, size, [variable, ...config.nodeOptions])
  return { config, settings, listeners, size, program: programOf(loaded, heap) }
}

function programOf({ config, cwd, worker }: LoadedConfig, heap: string | null): Program {
  const app = resolveApp(config.app!, cwd)
  if (app.kind === 'missing') throw new SetupError(`app: ${app.text}`)
  const identity = resolveIdentity(config)
  return {
    file: app.app.file,
    exported: app.app.export,
    arguments: config.args,
    inspect: config.inspect,
    nodeOptions: [...(heap === null ? [] : [heap]), ...config.nodeOptions],
    hooksFile: worker.hooksFile,
    env: workerEnvironment(config, identity?.user ?? null),
    cwd,
    ...(config.umask !== null && { umask: config.umask }),
    ...(identity && { identity: { uid: identity.uid, gid: identity.gid, groups: identity.groups } }),
  }
}

function workerEnvironment(
  config: Config,
  user: { readonly name: string; readonly home: string } | null,
): Record<string, string> {
  const { [NODE_OPTIONS_VARIABLE]: nodeOptions, ...own } = childEnvironment(process.env)
  return {
    ...own,
    ...(nodeOptions !== undefined && { NODE_OPTIONS: nodeOptions }),
    ...(user && { HOME: user.home, USER: user.name, LOGNAME: user.name }),
    ...config.env,
  }
}
