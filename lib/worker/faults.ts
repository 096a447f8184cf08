/**
 * Why an app could not be served. Until the worker is ready, its end is explained to the arbiter, which prints the app's
 * error once, however many workers failed by it.
 */
import { inspect } from 'node:util'
import type { AppFault } from '../channel/messages.ts'

/** A datagram has room for some 200 KiB. */
const LONGEST_STACK = 32 * 1024

export type Fault = { readonly fault: AppFault; readonly text: string; readonly stack?: string }

/** `file`: the app's, absolute. `tell` is called at most once, before the process ends. */
export class Faults {
  readonly #file: string
  readonly #tell: (fault: Fault) => void
  /** What to say when nothing is left to do: the app neither listens nor exports what can be served. */
  idle: string
  #over = false
  #emptied = false

  constructor(file: string, tell: (fault: Fault) => void) {
    this.#file = file
    this.#tell = tell
    this.idle = `${file} does not listen`
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

  /** Watches how the process ends. */
  watch(): void {
    process.on('uncaughtExceptionMonitor', (error) => {
      if (this.#over || isHandled()) return
      this.threw(error)
    })
    process.on('beforeExit', () => {
      this.#emptied = true
    })
    process.on('exit', (code) => {
      if (this.#emptied) this.#say({ fault: 'neverListened', text: this.idle })
      else this.#say({ fault: 'exited', text: `${this.#file} ended with exit code ${code} before it listened` })
    })
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
  const shown = inspect(error).slice(0, LONGEST_STACK)
  const text = error instanceof Error ? `${error.name}: ${error.message}` : shown
  const line = text.split('\n', 1)[0] ?? ''
  return isMissing(error, file)
    ? { fault: 'missing', text: `${file} does not exist` }
    : { fault: 'threw', text: line, stack: shown }
}

/** The app's own file, as opposed to one that it imports. */
const isMissing = (error: unknown, file: string): boolean => {
  const { code, requireStack, url } = (error ?? {}) as { code?: unknown; requireStack?: unknown; url?: unknown }
  if (code === 'MODULE_NOT_FOUND') return Array.isArray(requireStack) && requireStack.length === 0
  return code === 'ERR_MODULE_NOT_FOUND' && typeof url === 'string' && url.endsWith(encodeURI(file))
}
