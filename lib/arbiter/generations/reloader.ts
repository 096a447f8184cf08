/**
 * HUP: reads the settings again and begins a generation with them. Whatever is wrong with the new ones (a file that
 * does not parse, an app that is not there, an address in use) is logged, and everything stays as it was.
 */
import { diffConfig } from '../../config/diff.ts'
import { type LoadedConfig, loadConfig } from '../../config/load.ts'
import { describeProblem } from '../../config/problems.ts'
import type { Log } from '../../log/log.ts'
import type { Generation } from './generation.ts'
import { keepUntilRestart } from './keep.ts'

/** Where the settings came from, to read them again. */
export type Origin = {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

export type ReloaderParts = {
  readonly log: Log
  readonly origin: Origin
  /** Makes a generation of new settings; throws a one-line error. */
  readonly prepare: (loaded: LoadedConfig) => Generation
  /** Applies what is live, and begins the generation. In the loop's turn. */
  readonly begin: (loaded: LoadedConfig, generation: Generation) => void
  /** Runs a job in the loop's turn. */
  readonly schedule: (job: () => void) => void
}

export class Reloader {
  readonly #parts: ReloaderParts
  #current: LoadedConfig
  #reading: Promise<readonly string[] | null> | null = null
  #again = false

  constructor(parts: ReloaderParts, current: LoadedConfig) {
    this.#parts = parts
    this.#current = current
  }

  get isReading(): boolean {
    return this.#reading !== null
  }

  get current(): LoadedConfig {
    return this.#current
  }

  /**
   * Reads the settings and begins. One that is asked for while the settings are being read is served by reading them
   * once more, and all have the answer of the last reading. Resolves when the generation has begun, with null, or with
   * the lines that say why it has not.
   */
  reload(): Promise<readonly string[] | null> {
    if (this.#reading === null) {
      this.#reading = this.#readUntilLast().finally(() => {
        this.#reading = null
      })
    } else this.#again = true
    return this.#reading
  }

  /** The settings as they are now, for `reread`: nothing is begun. Rejects with one line for each problem. */
  async read(): Promise<LoadedConfig> {
    const { origin } = this.#parts
    const read = await loadConfig(origin.argv, origin.env, origin.cwd)
    if ('problems' in read) throw new Error(read.problems.map(describeProblem).join('; '))
    return keepUntilRestart(this.#current, read.loaded)
  }

  async #readUntilLast(): Promise<readonly string[] | null> {
    for (;;) {
      this.#again = false
      const problems = await this.#once()
      if (!this.#again) return problems
    }
  }

  async #once(): Promise<readonly string[] | null> {
    const { origin, log, schedule } = this.#parts
    const read = await loadConfig(origin.argv, origin.env, origin.cwd)
    return new Promise((resolve) => {
      schedule(() => {
        const problems = 'problems' in read ? read.problems.map(describeProblem) : this.#begin(read.loaded)
        for (const problem of problems ?? []) log.error(`reload refused: ${problem}; nothing has changed`)
        resolve(problems)
      })
    })
  }

  #begin(read: LoadedConfig): readonly string[] | null {
    const { log, prepare, begin } = this.#parts
    const { restart } = diffConfig(this.#current.config, read.config)
    const loaded = keepUntilRestart(this.#current, read)
    try {
      const generation = prepare(loaded)
      if (restart.length > 0)
        log.warning('these settings change only when monoceros is restarted', { settings: restart })
      for (const warning of loaded.warnings) log.warning(warning)
      this.#current = loaded
      begin(loaded, generation)
      return null
    } catch (error) {
      return [(error as Error).message]
    }
  }
}
