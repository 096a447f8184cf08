/** Those who wait for something to come true in a later turn: `wait` for a state, `reread` for the arbiter's answer. */
import type { Answer } from '../control/protocol.ts'
import type { Ms } from '../units.ts'

type Waiter = {
  /** The answer, once there is one. */
  readonly look: () => Answer | null
  readonly until: Ms
  readonly tooLate: () => Answer
  readonly resolve: (answer: Answer) => void
}

export class Waiting {
  readonly #waiters = new Set<Waiter>()

  /** Resolves when `look` has an answer, or at `until`. Forgotten, without an answer, when the asker is `gone`. */
  wait(look: () => Answer | null, until: Ms, tooLate: () => Answer, gone?: AbortSignal): Promise<Answer> {
    return new Promise((resolve) => {
      const waiter: Waiter = { look, until, tooLate, resolve }
      this.#waiters.add(waiter)
      gone?.addEventListener('abort', () => {
        this.#waiters.delete(waiter)
        resolve({ ok: false, error: 'nobody waits any more' })
      })
    })
  }

  /** Answers whoever can be answered now. When it wants to be called again at the latest. */
  look(now: Ms): Ms | null {
    let next: Ms | null = null
    for (const waiter of this.#waiters) {
      const answer = waiter.look() ?? (now >= waiter.until ? waiter.tooLate() : null)
      if (answer !== null) {
        this.#waiters.delete(waiter)
        waiter.resolve(answer)
      } else if (next === null || waiter.until < next) next = waiter.until
    }
    return next
  }
}
