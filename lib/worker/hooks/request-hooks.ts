/**
 * Calls `preRequest` and `postRequest`. A request waits for what `preRequest` promises, and no longer than `hookTimeout`;
 * nobody waits for `postRequest`. Whatever goes wrong is named in the log and has no other effect. A hook that promises
 * nothing costs its call and no more.
 */
import type { IncomingMessage } from 'node:http'
import { formatDuration } from '../../config/codecs/numbers.ts'
import type { HookWorker, WorkerHookFunctions, WorkerHookName } from '../../config/settings/hooks.ts'
import type { ResponseRecord, Wait } from '../../http/engine.ts'
import { type Ms, ms } from '../../units.ts'
import { oneLineWithPlace } from './one-line.ts'

/** Node's own, whatever the app puts in their place. */
const { setTimeout: later, clearTimeout: nevermind } = globalThis

/** Different lines that are said. A hook may throw another text for each request. */
const MOST_LINES = 20
/** Promises of `postRequest` that are timed at once; of those beyond it is not known whether they are late. */
const MOST_TIMED = 100

export type HookLife = {
  readonly worker: HookWorker
  readonly timeout: Ms
  /** One line for the log. */
  readonly warn: (text: string) => void
}

export class RequestHooks {
  #functions: WorkerHookFunctions = {}
  #life: HookLife = { worker: { slot: 0, generation: 0, pid: null }, timeout: ms(0), warn: () => undefined }
  readonly #said = new Set<string>()
  #timed = 0

  /** Whose requests these are; again in another life of the process. */
  begin(life: HookLife): void {
    this.#life = life
    this.#said.clear()
  }

  /** Until then no hook is called. */
  use(functions: WorkerHookFunctions): void {
    this.#functions = functions
  }

  before(request: IncomingMessage): Wait | undefined {
    try {
      const promised = this.#functions.preRequest?.(this.#life.worker, request)
      return isThenable(promised) ? this.#waitFor(promised) : undefined
    } catch (error) {
      this.#threw('preRequest', error)
      return undefined
    }
  }

  after({ request, response }: ResponseRecord): void {
    try {
      const promised = this.#functions.postRequest?.(this.#life.worker, request, response)
      if (isThenable(promised)) this.#watch(promised)
    } catch (error) {
      this.#threw('postRequest', error)
    }
  }

  #waitFor(promised: PromiseLike<unknown>): Wait {
    return (proceed) => {
      let waiting = true
      const goOn = (): void => {
        if (!waiting) return
        waiting = false
        nevermind(timer)
        // What the app throws must not end in the promise.
        process.nextTick(proceed)
      }
      const timer = later(() => {
        this.#late('preRequest')
        goOn()
      }, this.#life.timeout)
      promised.then(goOn, (error) => {
        this.#threw('preRequest', error)
        goOn()
      })
    }
  }

  #watch(promised: PromiseLike<unknown>): void {
    const isTimed = this.#timed < MOST_TIMED
    if (isTimed) this.#timed += 1
    const timer = isTimed ? later(() => this.#late('postRequest'), this.#life.timeout) : undefined
    timer?.unref()
    const over = (): void => {
      nevermind(timer)
      if (isTimed) this.#timed -= 1
    }
    promised.then(over, (error) => {
      over()
      this.#threw('postRequest', error)
    })
  }

  #threw(hook: WorkerHookName, error: unknown): void {
    this.#say(`hook ${hook} threw: ${oneLineWithPlace(error)}`)
  }

  #late(hook: WorkerHookName): void {
    this.#say(`hook ${hook} takes longer than ${formatDuration(this.#life.timeout)}; nobody waits for it any more`)
  }

  #say(text: string): void {
    if (this.#said.has(text) || this.#said.size > MOST_LINES) return
    this.#said.add(text)
    this.#life.warn(this.#said.size > MOST_LINES ? 'nothing more is said of hooks that throw, in this worker' : text)
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
