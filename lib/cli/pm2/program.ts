/** What an app of PM2 runs: script, interpreter, arguments. Pure. */
import { basename, extname } from 'node:path'
import type { Pm2App } from './keys.ts'
import { nodeOptionsOf } from './rows.ts'
import { words } from './values.ts'

/** Which program PM2 runs a file with, by the end of its name (its lib/API/interpreter.json). */
const BY_EXTENSION: Readonly<Record<string, string>> = {
  '.sh': 'bash',
  '.py': 'python',
  '.rb': 'ruby',
  '.php': 'php',
  '.pl': 'perl',
  '.coffee': 'coffee',
  '.ls': 'lsc',
}

const NODE = /^node(js)?(@.*)?$/

/** `interpreter`: null for a program that is run as it is. */
export type Program = {
  readonly script: string
  readonly interpreter: string | null
  readonly options: readonly string[]
  readonly args: readonly string[]
}

export function programOf(app: Pm2App): Program {
  const script = typeof app.script === 'string' ? app.script : ''
  return {
    script,
    interpreter: interpreterOf(app, script),
    options: nodeOptionsOf(app) ?? [],
    args: words(app.args ?? []) ?? [],
  }
}

/** Whether workers can run it. */
export const isNode = ({ interpreter }: Program): boolean => interpreter !== null && NODE.test(basename(interpreter))

/** `cluster` as PM2 decides it: said so, or several of a Node program. */
export function isCluster(app: Pm2App): boolean {
  const mode = String(app.exec_mode ?? '')
  if (mode !== '') return mode.startsWith('cluster')
  const { instances } = app
  return isNode(programOf(app)) && (instances === 'max' || (instances !== undefined && Number(instances) >= -1))
}

/** As a companion runs it. */
export function commandOf({ script, interpreter, options, args }: Program): readonly string[] {
  if (interpreter === null) return [script, ...args]
  return [NODE.test(interpreter) ? 'node' : interpreter, ...options, script, ...args]
}

function interpreterOf(app: Pm2App, script: string): string | null {
  const named = app.exec_interpreter
  if (named === 'none' || app.execute_command === true) return null
  if (typeof named === 'string' && named !== '') return named
  const extension = extname(script)
  if (Object.hasOwn(BY_EXTENSION, extension)) return BY_EXTENSION[extension]!
  // `script: 'npm'`: a program that is looked up, not a file.
  return extension === '' && !script.includes('/') ? null : 'node'
}
