/** What a worker is started as. Pure: the same settings give the same plan. */
import { nodeArguments } from '../channel/command.ts'
import { CHANNEL_VARIABLE } from '../channel/messages.ts'
import type { SpawnPlan } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'

/** The part of the settings that a worker is started with. */
export type Program = {
  /** Absolute path of the app's file. */
  readonly file: string
  /** The export after the colon; null: the file is the worker's own entry, as `node FILE` would run it. */
  readonly exported: string | null
  readonly arguments: readonly string[]
  /** Node's own options, such as `--env-file=.env`. */
  readonly nodeOptions: readonly string[]
  /** The whole environment but for what is the worker's own. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly umask?: number
  readonly identity?: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
}

export type Descriptors = { readonly channel: Fd; readonly stdin: Fd; readonly stdout: Fd; readonly stderr: Fd }

/** The descriptor that the channel has in a worker. */
const CHANNEL = 3

/**
 * A worker has its own process group (Ctrl-C reaches the arbiter alone), dies with the arbiter, and holds its standard
 * descriptors and its channel: listeners and the heartbeat come over the channel.
 */
export function workerPlan(program: Program, node: string, fds: Descriptors): SpawnPlan {
  const { file, exported, nodeOptions, env } = program
  const command = { file, export: exported, args: program.arguments, nodeOptions, variable: env.NODE_OPTIONS }
  return {
    file: node,
    argv: [node, ...nodeArguments(command)],
    env: { ...env, [CHANNEL_VARIABLE]: String(CHANNEL) },
    fds: [
      { from: fds.stdin, to: 0 },
      { from: fds.stdout, to: 1 },
      { from: fds.stderr, to: 2 },
      { from: fds.channel, to: CHANNEL },
    ],
    cwd: program.cwd,
    leader: 'group',
    parentDeathSignal: 'SIGKILL',
    ...(program.umask !== undefined && { umask: program.umask }),
    ...program.identity,
  }
}
