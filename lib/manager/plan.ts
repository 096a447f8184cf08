/** What a companion is started as. */
import { join } from 'node:path'
import { MOLD_OPTIONS } from '../channel/command.ts'
import { CHANNEL_VARIABLE } from '../channel/messages.ts'
import type { CompanionConfig } from '../config/companions.ts'
import type { SpawnPlan } from '../kernel/kernel.ts'
import type { Identity } from '../system/identity.ts'
import { findProgram } from '../system/program.ts'
import type { Fd } from '../units.ts'
import type { Common } from './common.ts'

export type Descriptors = {
  readonly stdin: Fd
  readonly stdout: Fd
  readonly stderr: Fd
  /** A `target` companion's; null for a program, which gets nothing but its 0, 1 and 2. */
  readonly channel: Fd | null
}

/** The descriptor that the channel has in a `target` companion. */
const CHANNEL = 3
const TARGET = join(__dirname, '..', 'companion', 'main.js')
const MOLD = join(__dirname, '..', 'companion', 'mold.js')

/**
 * A companion leads a session of its own, so that whatever it starts can be found, and is killed with the manager.
 * `env` is the manager's environment for companions. Throws an `Error` of one line where the program is not found.
 */
export function companionPlan(
  config: CompanionConfig,
  env: Readonly<Record<string, string>>,
  identity: Identity | null,
  fds: Descriptors,
): SpawnPlan {
  const { run, cwd, umask, limits } = config
  const merged = companionEnvironment(config, env, identity)
  const argv =
    run.kind === 'command' ? run.argv : [process.execPath, ...config.nodeOptions, TARGET, `${run.module}:${run.export}`]
  return {
    file: findProgram(argv[0]!, merged.PATH, cwd),
    argv,
    env: fds.channel === null ? merged : { ...merged, [CHANNEL_VARIABLE]: String(CHANNEL) },
    fds: [
      { from: fds.stdin, to: 0 },
      { from: fds.stdout, to: 1 },
      { from: fds.stderr, to: 2 },
      ...(fds.channel === null ? [] : [{ from: fds.channel, to: CHANNEL }]),
    ],
    cwd,
    leader: 'session',
    parentDeathSignal: 'SIGKILL',
    ...(umask !== null && { umask }),
    ...(limits.length > 0 && { limits }),
    ...(identity !== null && { uid: identity.uid, gid: identity.gid, groups: identity.groups }),
  }
}

/** The whole environment of a companion, out of the manager's for all of them. */
export const companionEnvironment = (
  config: CompanionConfig,
  env: Readonly<Record<string, string>>,
  identity: Identity | null,
): Readonly<Record<string, string>> => ({
  ...env,
  ...userVariables(identity),
  ...nameVariables(config),
  ...config.env,
})

/** The mold that `target` companions are forked from. It leads a group of its own, as no child of it ever stays in it. */
export function companionMoldPlan(
  { nodeOptions, env, identity }: Common,
  fds: Descriptors & { readonly channel: Fd },
): SpawnPlan {
  return {
    file: process.execPath,
    argv: [process.execPath, ...MOLD_OPTIONS, ...nodeOptions, MOLD],
    env: { ...env, [CHANNEL_VARIABLE]: String(CHANNEL) },
    fds: [
      { from: fds.stdin, to: 0 },
      { from: fds.stdout, to: 1 },
      { from: fds.stderr, to: 2 },
      { from: fds.channel, to: CHANNEL },
    ],
    leader: 'group',
    parentDeathSignal: 'SIGKILL',
    ...(identity !== null && { uid: identity.uid, gid: identity.gid, groups: identity.groups }),
  }
}

/** Who it is, for programs of which several run. */
const nameVariables = ({ family, instance }: CompanionConfig): Record<string, string> => ({
  MONOCEROS_COMPANION: family,
  MONOCEROS_COMPANION_INSTANCE: String(instance),
})

const userVariables = (identity: Identity | null): Record<string, string> =>
  identity?.user ? { HOME: identity.user.home, USER: identity.user.name, LOGNAME: identity.user.name } : {}
