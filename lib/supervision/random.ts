/**
 * Random numbers whose source is a state that the caller keeps: the pure parts stay pure, and a run can be repeated.
 */

/** 32 bits of state. Any integer will do to begin with. */
export type Seed = number

/** The next number of the sequence, in [0, 1), and the state after it (a Weyl sequence through a mixing function). */
export function draw(seed: Seed): { readonly value: number; readonly seed: Seed } {
  const next = (seed + 0x9e3779b9) | 0
  let mixed = Math.imul(next ^ (next >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return { value: ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32, seed: next }
}
