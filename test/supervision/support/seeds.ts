/** What a simulation shows while it runs. */
type Run = { readonly now: number; readonly steps: number }

/** `SEEDS=20` runs twenty times as many. */
const TIMES = Number(process.env.SEEDS ?? 1)

/** Runs simulations with the seeds from 1 on; a failure names the seed. How many steps they took. */
export function eachSeed<R extends Run>(
  seeds: number,
  make: (seed: number) => R,
  run: (made: R, seed: number) => void,
): number {
  let steps = 0
  for (let seed = 1; seed <= seeds * TIMES; seed++) {
    const made = make(seed)
    try {
      run(made, seed)
    } catch (error) {
      throw new Error(`seed ${seed}, at ${made.now}: ${(error as Error).message}`, { cause: error })
    }
    steps += made.steps
  }
  return steps
}
