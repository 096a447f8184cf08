/** Ways to cut bytes into chunks. */
import { Random } from '../support/random.ts'

/** Whole, byte by byte, and at random places from `seed`. */
export function cutsOf(length: number, seed: number, rounds = 8): number[][] {
  const random = new Random(seed)
  const everywhere = Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1)
  const some = Array.from({ length: rounds }, () => {
    const share = random.unit() ** 3
    return everywhere.filter(() => random.unit() < share)
  })
  return [[], everywhere, ...some]
}
