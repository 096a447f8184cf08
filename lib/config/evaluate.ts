/** Evaluates a config file in a short-lived child, so that no code of it ever runs in the arbiter. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import type { Ms } from '../units.ts'
import { type Environment, NODE_OPTIONS_VARIABLE } from './environment.ts'
import type { Verdict } from './evaluator.ts'
import { fromPlain } from './plain.ts'
import { unreadable } from './typescript.ts'

/** What the file exports, with a `Foreign` for each function; or why there is nothing, in one line. */
export type Evaluated =
  | { readonly kind: 'exported'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly text: string; readonly line: string | null }

/** How much a config file may export, as JSON. */
const LARGEST = 16 * 1024 ** 2

/** `file` is absolute. What it prints, also to stdout, goes to stderr. */
export async function evaluateFile(
  file: string,
  { env, cwd, deadline }: { readonly env: Environment; readonly cwd: string; readonly deadline: Ms },
): Promise<Evaluated> {
  const args = ['--no-warnings', join(__dirname, 'evaluator.js'), file, String(process.pid)]
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...env, NODE_OPTIONS: env[NODE_OPTIONS_VARIABLE] ?? env.NODE_OPTIONS },
    stdio: ['ignore', 2, 2, 'pipe'],
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, deadline)
  const ending = await ended(child)
  clearTimeout(timer)
  if (late) return failed(`was not evaluated within ${deadline / 1000} s`)
  if (ending.large) return failed(`exports more than ${LARGEST / 1024 ** 2} MB`)
  if (ending.error !== null) return failed(`cannot be evaluated: ${ending.error}`)
  if (ending.text === '') return failed(silence(ending))
  const verdict = parse(ending.text)
  if (verdict === null) return failed('was evaluated by another version of monoceros: restart this one')
  switch (verdict.kind) {
    case 'exported':
      return { kind: 'exported', value: fromPlain(verdict.plain) }
    case 'nothing':
      return failed(
        verdict.named.length === 0
          ? 'exports nothing; it needs a default export, or module.exports'
          : `has no default export, but exports ${verdict.named.join(', ')}; it needs "export default { … }"`,
      )
    case 'unsettled':
      return failed('waits for something that never comes (an await that nothing settles)')
    case 'threw':
      return threw(verdict, file)
  }
}

/** Null: cut short, or written by files that have been replaced under us. */
function parse(text: string): Verdict | null {
  try {
    return JSON.parse(text) as Verdict
  } catch {
    return null
  }
}

type Ending = { text: string; large: boolean; code: number | null; signal: string | null; error: string | null }

/** Reads the verdict to its end and waits for the exit; both, in either order. */
function ended(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    // None where there was no room for it: then there is an error instead.
    const pipe = child.stdio?.[3] as Readable | undefined
    pipe?.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > LARGEST) child.kill('SIGKILL')
      else chunks.push(chunk)
    })
    // A grandchild of the config file may hold the pipe open: the exit is what counts, and then what is there is read.
    const settle = (ending: Omit<Ending, 'text' | 'large'>) => {
      pipe?.removeAllListeners('data')
      pipe?.destroy()
      resolve({ ...ending, large: size > LARGEST, text: Buffer.concat(chunks).toString() })
    }
    child.on('error', (error) => settle({ code: null, signal: null, error: error.message }))
    child.on('exit', (code, signal) => setImmediate(() => settle({ code, signal, error: null })))
  })
}

const failed = (text: string, line: string | null = null): Evaluated => ({ kind: 'failed', text, line })

function silence({ code, signal }: Ending): string {
  if (signal !== null) return `ended its evaluation by ${signal}`
  return `ended its evaluation with exit code ${code} before it exported anything`
}

function threw(verdict: Extract<Verdict, { kind: 'threw' }>, file: string): Evaluated {
  const typescript = unreadable(file, { code: verdict.code, name: verdict.text.split(':')[0], stack: verdict.stack })
  if (typescript !== null) return failed(`${typescript}, or a .mjs, .cjs, .js or .json file`)
  const [first = ''] = verdict.text.split('\n')
  return failed(first, place(verdict.stack ?? '', file))
}

/** `line` or `line:column` of the config file where a stack first points into it. */
function place(stack: string, file: string): string | null {
  for (const name of [`${pathToFileURL(file).href}:`, `${file}:`]) {
    const at = stack.indexOf(name)
    if (at >= 0) return /^\d+(:\d+)?/.exec(stack.slice(at + name.length))?.[0] ?? null
  }
  return null
}
