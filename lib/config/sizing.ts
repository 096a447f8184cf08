/** How many workers there are, and how much memory each may take. Pure. */
import type { Limits } from './cgroup.ts'
import { MEMORY_PER_WORKER } from './settings/workers.ts'

/** The number of workers that the setting `workers` means here; at least 1. */
export function workerCount(setting: number | 'auto', limits: Limits): number {
  if (setting !== 'auto') return setting
  const memory = Math.min(
    limits.memoryLimit ?? Number.POSITIVE_INFINITY,
    limits.memoryTotal ?? Number.POSITIVE_INFINITY,
  )
  return Math.max(1, Math.min(limits.cpus, Math.floor(memory / MEMORY_PER_WORKER)))
}

/** What to say where nobody has chosen a number of workers and there is room for more than one; else null. */
export function workersHint(chosen: boolean, limits: Limits): string | null {
  const room = workerCount('auto', limits)
  return chosen || room === 1 ? null : `one worker; --workers auto would start ${room}`
}

/**
 * The option that keeps a worker's heap within its share of the cgroup's memory; null where there is no limit, or where
 * somebody has chosen a heap size. A quarter of the share is left for what lies outside of the old generation: young
 * generation, code, stacks, buffers.
 */
export function heapOption(limits: Limits, workers: number, given: readonly string[]): string | null {
  if (limits.memoryLimit === null || given.some((options) => HEAP_SIZE.test(options))) return null
  const share = (limits.memoryLimit / workers) * OLD_GENERATION_SHARE
  return `--max-old-space-size=${Math.max(LEAST_MB, Math.floor(share / MB))}`
}

const MB = 1024 ** 2
const OLD_GENERATION_SHARE = 0.75
/** Less, and Node does not come up. */
const LEAST_MB = 32

/** Options by which a user chooses a heap size, in both spellings that V8 reads. */
const HEAP_SIZE = /--(max[-_]old[-_]space[-_]size|max[-_]heap[-_]size)/
