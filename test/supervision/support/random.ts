/** A seeded source of numbers for simulations (xorshift32; not the one under test). */
export type Random = {
  /** In [0, 1). */
  next(): number
  below(limit: number): number
  chance(part: number): boolean
  pick<T>(of: readonly T[]): T
}

export function random(seed: number): Random {
  let state = (seed * 2654435761) | 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let warm = 0; warm < 4; warm++) next()
  const below = (limit: number) => Math.floor(next() * limit)
  return { next, below, chance: (part) => next() < part, pick: (of) => of[below(of.length)]! }
}
