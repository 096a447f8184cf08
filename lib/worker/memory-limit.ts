/**
 * `maxMemory`: a worker that has grown too large asks to be replaced, and is drained when its successor serves.
 *
 * The resident set is asked for every second, which costs one small read of /proc. It counts in full what is shared
 * with others, so only when it is too large the proportional set is asked for (smaps_rollup; proc_pid_smaps(5)). That
 * walks the page tables, some 10 ms for a GB: hence in a thread of the pool, and seldom. Where the cgroup tells that it is
 * short of memory, the next look does not wait for its second.
 */
import { readFile } from 'node:fs/promises'
import { memoryEventsPath } from '../config/cgroup.ts'
import type { WorkerSettings } from '../config/settings.ts'
import { ms } from '../units.ts'
import { watchMemoryEvents } from './memory-events.ts'

const LOOK = ms(1_000)
/** The least time between two looks: a cgroup at its limit tells so without end. */
const LEAST = ms(100)
/** Looks in a row that must find too much: a peak that the next garbage collection takes away is no leak. */
const TIMES = 2
/** After the shared part was found to explain it: the resident set that is worth another look, and the wait for one. */
const GROWTH = 1.05
const RESTS = 15

export type MemoryParts = {
  /** Resident set of this process in bytes. */
  resident(): number
  /** Its proportional set; null where the kernel does not tell. */
  proportional(): Promise<number | null>
  /** The `memory.events` of its cgroup; null where there is none. */
  readonly eventsPath: string | null
}

/**
 * Calls `retire` once, soon after the process has used more than `maxMemory` for a while. Does not keep it alive. Until the
 * result is called.
 */
export const watchMemory = (
  { maxMemory }: Pick<WorkerSettings, 'maxMemory'>,
  retire: (reason: string) => void,
  given?: MemoryParts,
): (() => void) => {
  if (maxMemory === 0) return () => undefined
  // To look for the cgroup costs half a millisecond of a birth.
  const parts = given ?? ownParts()
  const judge = memoryJudge(maxMemory, parts)
  let busy = false
  let stopped = false
  let isDue = false
  const look = async (): Promise<void> => {
    if (busy || stopped) return
    busy = true
    const used = await judge()
    busy = false
    if (used === null || stopped) return
    stop()
    retire(`${megabytes(used)} of memory, maxMemory is ${megabytes(maxMemory)}`)
  }
  const short = (): void => {
    if (isDue) return
    isDue = true
    const soon = setTimeout(() => {
      isDue = false
      void look()
    }, LEAST)
    soon.unref()
  }
  const timer = setInterval(look, LOOK).unref()
  const { eventsPath } = parts
  const events = eventsPath === null ? null : watchMemoryEvents(eventsPath, short)
  const stop = (): void => {
    stopped = true
    clearInterval(timer)
    events?.close()
  }
  return stop
}

/** One look each call: what is used, in bytes, once that has been too much for long enough; else null. */
export const memoryJudge = (
  most: number,
  { resident, proportional }: Omit<MemoryParts, 'eventsPath'>,
): (() => Promise<number | null>) => {
  let found = 0
  let explained = 0
  let rest = 0
  return async () => {
    const all = resident()
    if (all <= most) {
      found = 0
      explained = 0
      return null
    }
    if (all < explained && --rest > 0) return null
    const used = (await proportional()) ?? all
    if (used > most) {
      explained = 0
      return ++found < TIMES ? null : used
    }
    found = 0
    explained = all * GROWTH
    rest = RESTS
    return null
  }
}

/** The `Pss` of /proc/PID/smaps_rollup in bytes. */
export const parseProportional = (rollup: string): number | null => {
  const match = /^Pss:\s+(\d+) kB$/m.exec(rollup)
  return match === null ? null : Number(match[1]) * 1024
}

const ownParts = (): MemoryParts => ({
  eventsPath: memoryEventsPath(),
  resident: () => process.memoryUsage.rss(),
  async proportional() {
    try {
      return parseProportional(await readFile('/proc/self/smaps_rollup', 'latin1'))
    } catch {
      return null
    }
  },
})

const megabytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(bytes < 10 * 1024 ** 2 ? 1 : 0)} MB`
