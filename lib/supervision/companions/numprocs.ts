/**
 * One companion's configuration with `numprocs` is that many companions: `worker:0`, `worker:1` … One without keeps its
 * name. With `numprocs: 1` it is `worker:0`, so that a change of the number leaves the others untouched.
 */
export function expand(name: string, numprocs: number | undefined): readonly string[] {
  if (numprocs === undefined) return [name]
  return Array.from({ length: numprocs }, (_, index) => `${name}:${index}`)
}
