/**
 * The trial of a new version, before anything is touched: it runs as a child with `--check-upgrade`, reads our state, loads
 * the settings and everything that an arbiter needs, and says where its addon is.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { isRecord } from '../../channel/decode.ts'
import { childEnvironment } from '../../kernel/environment.ts'
import type { Fd } from '../../units.ts'
import type { Origin } from '../generations/reloader.ts'
import { CHECK_FLAG, STATE_VARIABLE } from './words.ts'

/** What a version that passes says, as one line of JSON on its standard output. */
export type Passed = {
  readonly version: string
  readonly node: string
  readonly addon: string
  /** The file that was executed, links followed. */
  readonly main: string
}

/** How long a trial may take, in milliseconds. */
const PATIENCE = 60_000
/** What is kept of its output. */
const LONGEST = 64 * 1024

/** Rejects with an error of one line where the version does not pass. `command`: Node, its options, our own file. */
export async function tryVersion(command: readonly string[], { cwd }: Origin, state: Fd): Promise<Passed> {
  const [node, ...args] = command
  const child = spawn(node!, [...args, CHECK_FLAG], {
    cwd,
    env: { ...childEnvironment(process.env), [STATE_VARIABLE]: '3' },
    stdio: ['ignore', 'pipe', 'pipe', state],
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-LONGEST)
    })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  const passed = code === 0 ? parse(output.stdout) : null
  if (passed !== null) return passed
  const last = output.stderr
    .trimEnd()
    .split('\n')
    .findLast((line) => line.trim() !== '' && !/^\s+at /.test(line))
  const end = signal === null ? `exit code ${code}` : signal
  throw new Error(`the new version does not pass its trial (${end})${last === undefined ? '' : `: ${last.trim()}`}`)
}

function parse(text: string): Passed | null {
  try {
    const value: unknown = JSON.parse(text)
    const isPassed =
      isRecord(value) && ['version', 'node', 'addon', 'main'].every((name) => typeof value[name] === 'string')
    return isPassed ? (value as Passed) : null
  } catch {
    return null
  }
}
