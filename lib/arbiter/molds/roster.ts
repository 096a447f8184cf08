/** Which mold is whose: the one of each generation that workers are forked from, and those that were told to end. Pure. */
import type { Pid } from '../../units.ts'

export class Roster<Generation extends object, Mold extends { readonly pid: Pid }> {
  readonly #current = new Map<Generation, Mold>()
  /** Told to end, and not reaped yet. */
  readonly #ending = new Map<Pid, Mold>()
  /** Counted from 1 in a generation: the first has loaded the app, the others were workers. */
  readonly #numbers = new WeakMap<Mold, number>()

  of(generation: Generation): Mold | undefined {
    return this.#current.get(generation)
  }

  generationOf(mold: Mold): Generation | undefined {
    return [...this.#current].find(([, one]) => one === mold)?.[0]
  }

  numberOf(mold: Mold): number | undefined {
    return this.#numbers.get(mold)
  }

  find(pid: Pid): Mold | undefined {
    return this.#ending.get(pid) ?? this.current.find((mold) => mold.pid === pid)
  }

  isEnding({ pid }: Mold): boolean {
    return this.#ending.has(pid)
  }

  get current(): Mold[] {
    return [...this.#current.values()]
  }

  get all(): Mold[] {
    return [...this.current, ...this.#ending.values()]
  }

  /** Gives it the number that comes after that of the generation's mold. */
  number(mold: Mold, generation: Generation): void {
    const before = this.#current.get(generation)
    this.#numbers.set(mold, ((before && this.#numbers.get(before)) ?? 0) + 1)
  }

  /** The mold of that generation from now on. The one before is to end. */
  set(generation: Generation, mold: Mold): Mold | undefined {
    if (!this.#numbers.has(mold)) this.number(mold, generation)
    const before = this.#current.get(generation)
    this.#current.set(generation, mold)
    if (before !== undefined) this.#ending.set(before.pid, before)
    return before
  }

  /** It is nobody's mold any more. */
  end(mold: Mold): void {
    this.#drop(mold)
    this.#ending.set(mold.pid, mold)
  }

  /** It was reaped; whether it was told to end. */
  remove(mold: Mold): boolean {
    this.#drop(mold)
    return this.#ending.delete(mold.pid)
  }

  #drop(mold: Mold): void {
    const generation = this.generationOf(mold)
    if (generation !== undefined) this.#current.delete(generation)
  }
}
