/**
 * Runs in the short-lived child that evaluates a config file: imports the file that the first argument names, writes
 * one `Verdict` as JSON to descriptor 3, and exits. The second argument is the pid of its parent, with which it dies: the
 * deadline of a file that never ends is kept by nobody else.
 */
import { spawnSync } from 'node:child_process'
import { realpathSync, writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { loadKernel } from '../kernel/addon.ts'
import { exportedConfig } from './exported.ts'
import { type Plain, toPlain } from './plain.ts'

/** The result of an evaluation. `text` may have several lines; `code` is Node's, where the error has one. */
export type Verdict =
  | { readonly kind: 'exported'; readonly plain: Plain }
  | { readonly kind: 'nothing'; readonly named: readonly string[] }
  /** It waits for something, and nothing is left that could happen. */
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'threw'; readonly text: string; readonly code: string | null; readonly stack: string | null }

const VERDICT_FD = 3

const file = process.argv[2]!

/** `parent`: as an argument; undefined where a version before this one asks. */
function dieWithParent(parent: string | undefined): void {
  const kernel = loadKernel()
  kernel.setParentDeathSignal('SIGKILL')
  // It was gone before.
  if (parent !== undefined && kernel.getppid() !== Number(parent)) process.exit(1)
}

let given = false

function give(verdict: Verdict): void {
  if (given) return
  given = true
  const bytes = Buffer.from(JSON.stringify(verdict))
  for (let at = 0; at < bytes.length; ) at += writeSync(VERDICT_FD, bytes, at)
  process.exit(0)
}

async function evaluate(): Promise<Verdict> {
  const url = pathToFileURL(file).href
  const module = (await import(url)) as Record<string, unknown>
  const value = await exportedConfig(module)
  // A CommonJS file that exports nothing has an empty object all the same.
  const untouched = realpathSync(file) in require.cache && isDeepStrictEqual(value, {})
  if (value !== undefined && !untouched) return { kind: 'exported', plain: toPlain(value) }
  return {
    kind: 'nothing',
    named: Object.keys(module).filter((name) => name !== 'default' && name !== 'module.exports'),
  }
}

function threw(error: unknown): Verdict {
  if (!(error instanceof Error))
    return { kind: 'threw', text: `threw ${JSON.stringify(error) ?? String(error)}`, code: null, stack: null }
  const code = (error as NodeJS.ErrnoException).code
  const stack = error instanceof SyntaxError ? `${error.stack}\n${complaint(file)}` : error.stack
  return { kind: 'threw', text: `${error.name}: ${error.message}`, code: code ?? null, stack: stack ?? null }
}

/** What `node --check` says: of a syntax error in a module, an import does not tell the place. */
const complaint = (path: string): string => spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' }).stderr

process.on('beforeExit', () => give({ kind: 'unsettled' }))
process.on('uncaughtException', (error) => give(threw(error)))
dieWithParent(process.argv[3])
evaluate().then(give, (error) => give(threw(error)))
