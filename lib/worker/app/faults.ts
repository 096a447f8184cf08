/**
 * Why an app could not be served. Until the worker is ready, its end is explained to the arbiter, which prints the app's
 * error once, however many workers failed by it.
 */
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { AppFault } from '../../channel/messages.ts'
import { unreadable } from '../../config/typescript.ts'

export type Fault = { readonly fault: AppFault; readonly text: string; readonly stack?: string }

export class Faults {
  readonly #file: string
  readonly #mayPrint: () => boolean
  readonly #tell: (fault: Fault) => void
  /** What to say when nothing is left to do: the app neither listens nor exports what can be served. */
  idle: string
  #over = false
  #emptied = false

  /**
   * `file`: the app's, absolute. `tell` is called at most once, before the process ends. `mayPrint`: an error whose place
   * only Node knows may be printed by Node; true for one worker, or it would be printed by each.
   */
  constructor(file: string, mayPrint: () => boolean, tell: (fault: Fault) => void) {
    this.#file = file
    this.#mayPrint = mayPrint
    this.#tell = tell
    this.idle = `${file} was not evaluated to its end, and nothing is left that could end it: a top-level await that nothing settles`
  }

  /** From now on the worker's end is its own business. */
  settle(): void {
    this.#over = true
  }

  /** Ends the boot. */
  end(fault: Fault): never {
    this.#say(fault)
    process.exit(1)
  }

  /** Explains an error of the app, and ends the boot. */
  threw(error: unknown): never {
    return this.end(describe(error, this.#file))
  }

  /** The app called `cluster.fork()`. Nobody would know why the worker ends: told even when the boot is over. */
  forked(): never {
    this.#over = false
    const text = `${this.#file} calls cluster.fork(), but monoceros keeps the workers; with clusterWorker: true the app sees itself as one`
    return this.end({ fault: 'clusterFork', text })
  }

  /** Watches how the process ends, until the result is called. */
  watch(): () => void {
    const threw = (error: unknown): void => {
      if (this.#over || isHandled()) return
      const fault = describe(error, this.#file)
      if (!this.#mayPrint() || isLocated(error)) this.end(fault)
      this.#say({ fault: fault.fault, text: fault.text })
    }
    const emptied = (): void => {
      this.#emptied = true
    }
    const exited = (code: number): void => {
      if (this.#emptied) this.#say({ fault: 'neverListened', text: this.idle })
      else this.#say({ fault: 'exited', text: `${this.#file} ended with exit code ${code} before it listened` })
    }
    process.on('uncaughtExceptionMonitor', threw).on('beforeExit', emptied).on('exit', exited)
    return () => void process.off('uncaughtExceptionMonitor', threw).off('beforeExit', emptied).off('exit', exited)
  }

  #say(fault: Fault): void {
    if (this.#over) return
    this.#over = true
    this.#tell(fault)
  }
}

/** An app that survives its errors goes on, as it would under plain node. */
const isHandled = (): boolean =>
  process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()

const describe = (error: unknown, file: string): Fault => {
  const shown = withoutOurs(inspect(error))
  const text = error instanceof Error ? `${error.name}: ${error.message}` : shown
  const line = unreadable(file, error) ?? text.split('\n', 1)[0] ?? ''
  return isMissing(error, file)
    ? { fault: 'missing', text: `${file} does not exist` }
    : { fault: 'threw', text: line, stack: shown }
}

const OURS = `${join(__dirname, '..', '..')}/`

/** A stack without the frames of monoceros, by which the app was called. */
const withoutOurs = (shown: string): string =>
  shown
    .split('\n')
    .filter((line) => !(/^\s+at /.test(line) && line.includes(OURS)))
    .join('\n')

/**
 * Node keeps the place of a syntax error in an ES module to itself, and prints it when it dies of it. Elsewhere it stands
 * in the first line of the stack.
 */
const isLocated = (error: unknown): boolean =>
  !(error instanceof SyntaxError) || /^(\/|file:).*:\d+$/.test((error.stack ?? '').split('\n', 1)[0] ?? '')

/** The app's own file, as opposed to one that it imports. */
const isMissing = (error: unknown, file: string): boolean => {
  const { code, requireStack, url } = (error ?? {}) as { code?: unknown; requireStack?: unknown; url?: unknown }
  if (code === 'MODULE_NOT_FOUND') return Array.isArray(requireStack) && requireStack.length === 0
  return code === 'ERR_MODULE_NOT_FOUND' && typeof url === 'string' && url.endsWith(encodeURI(file))
}
