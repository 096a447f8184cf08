/**
 * Programs as tests run them: each leads a session of its own, carries the mark of the test run (`leaks.ts`) and is killed
 * with its process group when the test that started it is over, whether that passed or not.
 */
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { testRoot } from './everybodys.ts'
import { MARK } from './leaks.ts'

/** How long anything awaited here may take: a guard against waiting for ever, never a measure. */
export const GUARD = 60_000

/** How long the output of a program that has ended may stay open before it is taken for inherited. */
const HELD_OPEN = 1_000

const ROOT = testRoot(join(__dirname, '..', '..'))

/** Path of a built file: `dist('cli/monoceros.js')`. */
export const dist = (path: string): string => join(ROOT, 'dist', path)

export type StartOptions = {
  readonly cwd?: string
  /** Added to a clean copy of our own environment; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: stdin is /dev/null, stdout and stderr are read. Entries from 3 on are passed as they are. */
  readonly stdio?: StdioOptions
  /** Milliseconds for what is known to take long, in place of `GUARD`. */
  readonly patience?: number
  /** For a process started in `beforeAll`: it lives until `afterAll`. */
  readonly keep?: boolean
}

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** A point of the output so far. */
export type Mark = number

const running = new Set<Program>()

afterEach(() => stop((program) => !program.keep))
afterAll(() => stop(() => true))

/** Starts any program found by PATH or path. */
export function start(command: string, args: readonly string[] = [], options: StartOptions = {}): Program {
  const { cwd, env = {}, stdio = ['ignore', 'pipe', 'pipe'] } = options
  const child = spawn(command, args, { cwd, env: environment(env), stdio, detached: true })
  const program = new Program(child, [command, ...args].join(' '), options)
  running.add(program)
  return program
}

/** Starts a script with the Node that runs the tests. */
export const startNode = (script: string, args: readonly string[] = [], options?: StartOptions): Program =>
  start(process.execPath, [script, ...args], options)

/** Starts the built `monoceros` command. */
export const startMonoceros = (args: readonly string[], options?: StartOptions): Program =>
  startNode(dist('cli/monoceros.js'), args, options)

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[] = [],
  options?: StartOptions,
): Promise<Ended & Output> {
  const program = start(command, args, options)
  const ended = await program.ended()
  return { ...ended, stdout: program.stdout, stderr: program.stderr }
}

export type Output = { readonly stdout: string; readonly stderr: string }

export class Program {
  readonly child: ChildProcess
  readonly keep: boolean
  stdout = ''
  stderr = ''
  /** stdout and stderr as they came. */
  output = ''
  readonly #command: string
  readonly #patience: number
  readonly #waiting = new Set<() => void>()
  readonly #closed: Promise<Ended>
  #over = false

  constructor(child: ChildProcess, command: string, { keep = false, patience = GUARD }: StartOptions) {
    this.child = child
    this.keep = keep
    this.#patience = patience
    this.#command = command
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#heard('stdout', text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#heard('stderr', text))
    this.#closed = new Promise((resolve) => {
      const over = (ended: Ended): void => {
        this.#over = true
        running.delete(this)
        this.#wake()
        resolve(ended)
      }
      child.once('error', (error) => {
        this.output += String(error)
        over({ code: null, signal: null })
      })
      // `close` comes when all output is read. Whoever inherited the output may live on and keep it open: then what the
      // program itself wrote has long been read.
      child.once('exit', (code, signal) => {
        const ended = { code, signal }
        const held = setTimeout(over, HELD_OPEN, ended)
        child.once('close', () => {
          clearTimeout(held)
          over(ended)
        })
      })
    })
  }

  /** Undefined only when it could not be started. */
  get pid(): number {
    return this.child.pid!
  }

  /** Where the output stands now, for `after`. */
  mark(): Mark {
    return this.output.length
  }

  /** The first line that matches, whether it has come already or is still to come; fails when the program ends first. */
  async line(pattern: RegExp | string, after: Mark = 0): Promise<RegExpExecArray> {
    const [first] = await this.lines(pattern, 1, after)
    return first!
  }

  /** The first `count` lines that match. */
  async lines(pattern: RegExp | string, count: number, after: Mark = 0): Promise<RegExpExecArray[]> {
    const expression =
      typeof pattern === 'string'
        ? new RegExp(escaped(pattern))
        : new RegExp(pattern.source, pattern.flags.replace('g', ''))
    const found = (): RegExpExecArray[] => matches(this.output.slice(after), expression)
    await this.until(() => found().length >= count, `${count} × ${expression}`)
    return found().slice(0, count)
  }

  /** Waits until `condition` holds, which is asked again whenever output has come. */
  async until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve, reject) => {
      const ask = (): void => {
        const holds = condition()
        if (!holds && !this.#over) return
        clearTimeout(guard)
        this.#waiting.delete(ask)
        if (holds) resolve()
        else reject(this.#failure(`ended before ${what}`))
      }
      const guard = setTimeout(() => {
        this.#waiting.delete(ask)
        reject(this.#failure(`no ${what} within ${this.#patience} ms`))
      }, this.#patience)
      this.#waiting.add(ask)
      if (this.#over) ask()
    })
  }

  /** How it ended; waits for that. */
  async ended(): Promise<Ended> {
    let guard: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      guard = setTimeout(() => reject(this.#failure(`did not end within ${this.#patience} ms`)), this.#patience)
    })
    return Promise.race([this.#closed, late]).finally(() => clearTimeout(guard))
  }

  /** False when it is gone. */
  signal(signal: NodeJS.Signals): boolean {
    return this.child.kill(signal)
  }

  /** Kills it and whatever is left of its process group. */
  async kill(): Promise<void> {
    if (this.child.pid === undefined) return
    try {
      process.kill(-this.child.pid, 'SIGKILL')
    } catch {}
    this.child.stdout?.destroy()
    this.child.stderr?.destroy()
    await this.#closed
  }

  #heard(from: 'stdout' | 'stderr', text: string): void {
    this[from] += text
    this.output += text
    this.#wake()
  }

  #wake(): void {
    for (const ask of [...this.#waiting]) ask()
  }

  #failure(what: string): Error {
    const { exitCode, signalCode } = this.child
    const state = this.#over ? `exit code ${exitCode}, signal ${signalCode}` : 'still running'
    return new Error(`${this.#command}: ${what} (${state}). Output:\n${this.output.slice(-4000)}`)
  }
}

async function stop(which: (program: Program) => boolean): Promise<void> {
  await Promise.all([...running].filter(which).map((program) => program.kill()))
}

/** Ours without what jest and npm put there, and with the mark by which a leaked child is found. */
function environment(added: StartOptions['env']): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_FOR_CHILDREN.test(name)))
  return { ...clean, [MARK]: process.env[MARK], MONOCEROS_TEST: expect.getState().currentTestName, ...added }
}

const NOT_FOR_CHILDREN =
  /^(NODE_|JEST_|npm_|MONOCEROS_|LISTEN_|NOTIFY_SOCKET$|WATCHDOG_|WEB_CONCURRENCY$|PORT$|INIT_CWD$)/

/** Whole lines only: the last one may still be growing. */
function matches(output: string, expression: RegExp): RegExpExecArray[] {
  const whole = output.slice(0, output.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .map((line) => expression.exec(line))
    .filter((match) => match !== null)
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
