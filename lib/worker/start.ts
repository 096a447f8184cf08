/** A worker's first steps as a process of its own. */
import { loadKernel } from '../kernel/addon.ts'
import type { Boot } from './app/boot.ts'
import { prepare } from './begin.ts'
import { join } from './join.ts'

/** Joins the arbiter and begins; ends the process where that is not possible. `file`: the app's, absolute. */
export const startWorker = (file: string): Boot => {
  const kernel = loadKernel()
  const joined = join(kernel)
  if (typeof joined !== 'string') return prepare(kernel, joined, file)(joined)
  process.stderr.write(`monoceros: this worker cannot start: ${joined}\n`)
  process.exit(1)
}
