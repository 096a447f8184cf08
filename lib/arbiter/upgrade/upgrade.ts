/**
 * `monocerosctl upgrade`: the arbiter replaces itself by the version that is installed now. Its pid, its children and its
 * sockets stay; workers and companions notice nothing.
 *
 *   trial ──► preExec hook ──► state ──► execve ──► the new image commits
 *     │                                    │             │
 *     └ refused: nothing has changed       └ fails: all goes on      └ does not: this version is executed again
 */

import type { Image } from '../../kernel/image.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Log } from '../../log/log.ts'
import type { Pool } from '../../supervision/pool.ts'
import type { Pid } from '../../units.ts'
import { VERSION } from '../../version.ts'
import type { Origin } from '../generations/reloader.ts'
import { type Command, exactCommand, whole } from '../succession/command.ts'
import { replaceImage } from './replace.ts'
import { type ArbiterState, descriptorsOf, writeState } from './state.ts'
import { type Passed, tryVersion } from './trial.ts'

export type UpgradeParts = {
  readonly kernel: Kernel
  readonly image: Image
  readonly log: Log
  readonly origin: Origin
  readonly command: Command
  readonly pool: () => Pool
  /** Why it is not possible now, for another reason than the pool's; null: it is. */
  readonly hindrance: () => string | null
  readonly pack: () => Omit<ArbiterState, 'form' | 'version' | 'node'>
  /** Helpers that the new image starts anew: ended first. */
  readonly helpers: () => readonly Pid[]
  readonly preExec: (then: () => void) => void
  /** Ends what others are just asking for; nothing new is begun before `resume`. */
  readonly pause: () => Promise<void>
  readonly resume: () => void
  /** Runs a job in the loop's turn. */
  readonly schedule: (job: () => void) => void
}

export class Upgrade {
  readonly #parts: UpgradeParts
  #running = false

  constructor(parts: UpgradeParts) {
    this.#parts = parts
  }

  /** Comes back only where it is not possible: with one line that says why. */
  async run(): Promise<string> {
    const hindrance = this.#hindrance()
    if (hindrance !== null) return hindrance
    this.#running = true
    try {
      const passed = await this.#try()
      await new Promise<void>((resolve) => this.#parts.preExec(resolve))
      await this.#parts.pause()
      const problem = await this.#go(passed)
      this.#parts.resume()
      return problem
    } catch (error) {
      this.#parts.log.error(`upgrade refused: ${(error as Error).message}`)
      return (error as Error).message
    } finally {
      this.#running = false
    }
  }

  #hindrance(): string | null {
    const { pool, hindrance } = this.#parts
    const { mode, reload, members } = pool()
    if (this.#running) return 'an upgrade is under way'
    if (mode !== 'running') return `the workers are ${mode}`
    if (reload !== null) return 'a reload is under way; try again when it is over'
    if (members.some(({ life }) => life.phase.kind === 'spawning')) return 'a worker is just being started; try again'
    return hindrance()
  }

  async #try(): Promise<Passed> {
    const { kernel, log, origin, command, pack } = this.#parts
    const state = writeState(kernel, pack())
    try {
      const passed = await tryVersion(command, origin, state)
      log.info('the new version has passed its trial', { version: passed.version, node: passed.node })
      if (passed.main === require.main!.filename && (passed.version !== VERSION || passed.node !== process.version))
        log.warning(`version ${VERSION} on Node ${process.version} was overwritten: there is no way back to it`)
      return passed
    } finally {
      kernel.close(state)
    }
  }

  /** In one turn of the loop: what is handed over is what is there. */
  #go(passed: Passed): Promise<string> {
    return new Promise((resolve) => {
      this.#parts.schedule(() => {
        this.#running = false
        const hindrance = this.#hindrance()
        if (hindrance !== null) return resolve(hindrance)
        try {
          this.#replace(passed)
        } catch (error) {
          resolve(`the new version could not be executed: ${(error as Error).message}`)
        }
      })
    })
  }

  #replace({ version, addon }: Passed): never {
    const { kernel, image, log, origin, command, pack, helpers } = this.#parts
    const forward = whole(command, origin)
    const back = whole(exactCommand(), origin)
    const packed = pack()
    const state = writeState(kernel, packed)
    try {
      log.info(`version ${VERSION} makes place for version ${version}`)
      log.flushNow()
      for (const pid of helpers()) kernel.kill(pid, 'SIGKILL')
      replaceImage(kernel, image, { forward, back, addon, state, descriptors: descriptorsOf(packed) })
    } finally {
      kernel.close(state)
    }
  }
}
