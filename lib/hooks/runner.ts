/** Calls hooks one after the other, each for a limited time, and says how each ended. */
import { inspect } from 'node:util'
import type { FromHooks, ToHooks } from '../channel/hook-messages.ts'

export type Call = Extract<ToHooks, { kind: 'call' }>
type Answer = Extract<FromHooks, { kind: 'done' | 'late' | 'threw' }>
export type Functions = Readonly<Record<string, unknown>>

export class Runner {
  readonly #functions: Functions
  readonly #answer: (answer: Answer) => void
  #running = false
  #leave: (() => void) | null = null

  constructor(functions: Functions, answer: (answer: Answer) => void) {
    this.#functions = functions
    this.#answer = answer
  }

  async run({ id, hook, args, within }: Call): Promise<void> {
    this.#running = true
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Answer>((resolve) => {
      timer = setTimeout(() => resolve({ kind: 'late', id }), within)
    })
    this.#answer(await Promise.race([this.#call(id, hook, args), late]))
    clearTimeout(timer)
    this.#running = false
    this.#leave?.()
  }

  /** Calls back when no call runs any more. */
  whenIdle(leave: () => void): void {
    if (this.#running) this.#leave = leave
    else leave()
  }

  async #call(id: number, hook: string, args: readonly unknown[]): Promise<Answer> {
    try {
      const called = this.#functions[hook]
      if (typeof called === 'function') await called.apply(this.#functions, args)
      return { kind: 'done', id }
    } catch (error) {
      return { kind: 'threw', id, ...described(error) }
    }
  }
}

/** One line, and the stack. */
export function described(error: unknown): { readonly text: string; readonly stack?: string } {
  const shown = inspect(error)
  if (!(error instanceof Error)) return { text: shown.split('\n', 1)[0] ?? '' }
  return { text: `${error.name}: ${error.message}`.split('\n', 1)[0] ?? '', stack: shown }
}
