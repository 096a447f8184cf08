/** Generations by their number; one without an entry is made like the one before it. */
import { formatAddress } from '../../config/address.ts'
import type { Pool } from '../../supervision/pool.ts'
import type { Listeners } from '../listeners/listeners.ts'
import type { Generation } from './generation.ts'

/** For another image of this process: listeners by their addresses. */
export type PackedGeneration = Omit<Generation, 'listeners'> & {
  readonly number: number
  readonly listeners: readonly string[]
}

export class Generations {
  readonly #byNumber = new Map<number, Generation>()

  add(number: number, generation: Generation): void {
    this.#byNumber.set(number, generation)
  }

  of(number: number): Generation {
    for (let at = number; at > 0; at--) {
      const generation = this.#byNumber.get(at)
      if (generation) return generation
    }
    throw new Error(`generation ${number} was never prepared`)
  }

  pack(): readonly PackedGeneration[] {
    return [...this.#byNumber].map(([number, { listeners, ...rest }]) => ({
      number,
      ...rest,
      listeners: listeners.map(({ address }) => formatAddress(address)),
    }))
  }

  unpack(packed: readonly PackedGeneration[], listeners: Listeners): void {
    this.#byNumber.clear()
    for (const { number, ...rest } of packed) {
      const opened = rest.listeners.map((name) => listeners.at(name))
      this.#byNumber.set(number, { ...rest, listeners: opened })
    }
  }

  /** Keeps what a living worker's slot, or the next one, may be started from. */
  forget({ generation, members }: Pool): void {
    const oldest = Math.min(generation, ...members.map(({ key }) => key.generation))
    const kept = [...this.#byNumber.keys()].filter((number) => number <= oldest)
    for (const number of kept.slice(0, -1)) this.#byNumber.delete(number)
  }
}
