/** What was asked for from outside of a turn (a command on the control socket, say), until the turn comes to commands. */
export class Jobs {
  readonly #waiting: (() => void)[] = []
  readonly #wake: () => void
  readonly #failed: (error: unknown) => void

  /** `failed`: is told what a job has thrown; the others run all the same. */
  constructor(wake: () => void, failed: (error: unknown) => void) {
    this.#wake = wake
    this.#failed = failed
  }

  add(job: () => void): void {
    this.#waiting.push(job)
    this.#wake()
  }

  /** Those that are added meanwhile wait for the next turn. */
  run(): void {
    for (const job of this.#waiting.splice(0)) {
      try {
        job()
      } catch (error) {
        this.#failed(error)
      }
    }
  }
}
