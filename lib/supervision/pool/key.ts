/**
 * What a life in the pool is known by. `relief` counts those who followed one another in a slot of one generation while
 * the one before was still there: 0 for the first.
 */
export type Key = { readonly generation: number; readonly slot: number; readonly relief: number }

export const sameKey = (one: Key, other: Key): boolean =>
  one.slot === other.slot && one.generation === other.generation && one.relief === other.relief

/** Such as `2:0` (generation and slot), or `2:0:1` for a relief: for logs, and as a key of maps. */
export const keyText = ({ generation, slot, relief }: Key): string =>
  relief === 0 ? `${generation}:${slot}` : `${generation}:${slot}:${relief}`
