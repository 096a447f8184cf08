/** Those who wait for something to happen in the pool: commands that answer with an outcome. */
import type { Notice } from './surroundings.ts'

export class Notices {
  readonly #waiting = new Set<(notice: Notice) => void>()

  tell(notice: Notice): void {
    for (const hear of [...this.#waiting]) hear(notice)
  }

  /** The next notice that `accepts`; null when `signal` fires first. */
  wait(accepts: (notice: Notice) => boolean, signal: AbortSignal): Promise<Notice | null> {
    return new Promise((resolve) => {
      const end = (notice: Notice | null): void => {
        this.#waiting.delete(hear)
        signal.removeEventListener('abort', given)
        resolve(notice)
      }
      const hear = (notice: Notice): void => {
        if (accepts(notice)) end(notice)
      }
      const given = (): void => end(null)
      this.#waiting.add(hear)
      signal.addEventListener('abort', given)
      if (signal.aborted) end(null)
    })
  }
}
