/** The memory of a mold before it is forked: as little as possible of it may be written to later, in every child anew. */
import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { MoldKernel } from '../kernel/mold-kernel.ts'

/** Collects the garbage of both kinds, and finishes the collection. */
export function compact(mold: Pick<MoldKernel, 'trimMemory'>): void {
  const wasExposed = 'gc' in globalThis
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // Contexts and threads of the app's are as they would be.
  if (!wasExposed) setFlagsFromString('--no-expose-gc')
  collect()
  collect()
  // V8 sweeps a page when it needs room; on one thread that is left to each child. To count what there is of code, V8
  // must have swept every page (Heap::CollectCodeStatistics, src/heap/heap.cc).
  getHeapCodeStatistics()
  mold.trimMemory()
}
