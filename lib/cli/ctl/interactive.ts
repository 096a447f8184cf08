/**
 * The interactive mode: a prompt with history and completion on a terminal; elsewhere commands are read line by line,
 * as from a script, and the last exit code is the exit code.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { splitWords } from './arguments.ts'
import { complete } from './completion.ts'
import { EXIT } from './exit.ts'

export type Interactive = {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream
  readonly env: NodeJS.ProcessEnv
  /** Runs one command; `cancelled` fires at Ctrl-C. */
  readonly run: (words: readonly string[], cancelled: AbortSignal) => Promise<number>
  /** The companions' names, for completion. */
  readonly names: () => Promise<readonly string[]>
}

const MOST_HISTORY = 500

export async function interactive(mode: Interactive): Promise<number> {
  const terminal = mode.input.isTTY === true
  const history = terminal ? historyFile(mode.env) : null
  let running: AbortController | null = null
  let code: number = EXIT.done
  let isClosed = false
  const reader = createInterface({
    input: mode.input,
    output: mode.output,
    terminal,
    prompt: terminal ? 'monoceros> ' : '',
    history: history === null ? [] : readHistory(history),
    historySize: MOST_HISTORY,
    removeHistoryDuplicates: true,
    completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
      const words = splitWords(line)
      if (/\s$/.test(line) || words.length === 0) words.push('')
      mode.names().then((names) => done(null, [complete(words, names), words.at(-1)!]))
    },
  })
  reader.on('history', (lines: string[]) => {
    if (history !== null) writeHistory(history, lines)
  })
  reader.on('close', () => {
    isClosed = true
  })
  reader.on('SIGINT', () => {
    if (running === null) reader.close()
    else running.abort()
  })
  reader.prompt()
  for await (const line of reader) {
    const words = splitWords(line)
    if (words[0] === 'exit' || words[0] === 'quit') break
    if (words.length > 0 && !words[0]!.startsWith('#')) {
      running = new AbortController()
      code = await mode.run(words, running.signal)
      running = null
    }
    // The input may have ended before its last lines were read; Node 24 and later throw then.
    if (!isClosed) reader.prompt()
  }
  reader.close()
  if (terminal) mode.output.write('\n')
  return code
}

function historyFile(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'monoceros', 'ctl_history')
}

/** The youngest line first, as readline wants it and as the file has it. */
function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}

/** A history that cannot be kept is no reason to trouble anybody. */
function writeHistory(file: string, lines: readonly string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
    chmodSync(file, 0o600)
  } catch {}
}
