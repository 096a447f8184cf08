/**
 * When a worker begins to accept. One that is to take over from another takes no connection before it is good: a version
 * that answers badly, or is gone after a moment, must cost no request. Until then it listens as far as the app can see,
 * and what comes is accepted by those who serve.
 */
import type { Handle } from './handle.ts'

/** setInterval's largest delay. */
const LONGEST = 2 ** 31 - 1

export class Gate {
  #state: 'waiting' | 'open' | 'shut' = 'waiting'
  #waiting: (() => void)[] = []
  /** A handle that does not listen yet keeps no process alive, but the app has not ended. */
  #alive: NodeJS.Timeout | undefined

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** From now on what was guarded accepts. Idempotent; not after `shut`. */
  open(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'open'
    clearInterval(this.#alive)
    // A handle that was closed meanwhile answers EBADF.
    for (const listen of this.#waiting.splice(0)) listen()
  }

  /** Nothing more is to be accepted: the worker leaves. */
  shut(): void {
    if (this.#state === 'open') return
    this.#state = 'shut'
    clearInterval(this.#alive)
  }

  /** A handle of a listener that others accept on as well; the same one. */
  guard(handle: Handle): Handle {
    const { listen } = handle
    handle.listen = (backlog) => {
      const begin = (): number => Reflect.apply(listen, handle, [backlog])
      if (this.#state === 'open') return begin()
      this.#waiting.push(begin)
      if (this.#state === 'waiting') this.#alive ??= setInterval(() => undefined, LONGEST)
      return 0
    }
    return handle
  }
}
