/** What a worker is started as. Pure: the same settings give the same plan. */
import { type Command, moldArguments, nodeArguments } from '../../channel/command.ts'
import { CHANNEL_VARIABLE } from '../../channel/messages.ts'
import type { SpawnPlan } from '../../kernel/kernel.ts'
import type { Fd } from '../../units.ts'

/** The part of the settings that a worker is started with. */
export type Program = {
  /** Absolute path of the app's file. */
  readonly file: string
  /** The export after the colon; null: the file is the worker's own entry, as `node FILE` would run it. */
  readonly exported: string | null
  readonly arguments: readonly string[]
  /** Node's own options, such as `--env-file=.env`. */
  readonly nodeOptions: readonly string[]
  /** Each worker has Node's inspector. */
  readonly inspect?: boolean
  /** The config file, where it has hooks that run in workers. */
  readonly hooksFile: string | null
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
export const workerPlan = (program: Program, node: string, fds: Descriptors): SpawnPlan => {
  const { inspect, nodeOptions } = program
  const command = commandOf(program)
  const options = inspect ? ['--inspect=0', ...nodeOptions] : nodeOptions
  return planOf(program, node, nodeArguments({ ...command, nodeOptions: options }), fds)
}

/**
 * The mold that workers are forked from: started as they are, so that they are what they would have been. Only the inspector
 * is opened by each of them.
 */
export const moldPlan = (program: Program, node: string, fds: Descriptors): SpawnPlan =>
  planOf(program, node, moldArguments(commandOf(program)), fds)

const commandOf = ({ file, exported, arguments: args, nodeOptions, hooksFile, env }: Program): Command => ({
  file,
  export: exported,
  args,
  nodeOptions,
  hooks: hooksFile !== null,
  variable: env.NODE_OPTIONS,
})

function planOf(program: Program, node: string, line: readonly string[], fds: Descriptors): SpawnPlan {
  return {
    file: node,
    argv: [node, ...line],
    env: { ...program.env, [CHANNEL_VARIABLE]: String(CHANNEL) },
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
