/** The kernel's own word that memory is short, which comes sooner than the next look (cgroup v2, `memory.events`). */
import { type FSWatcher, readFileSync, watch } from 'node:fs'

/**
 * Calls `short` each time the cgroup was held back at its limit (`max`) or above its threshold (`high`), however small
 * the file's change is. Does not keep the process alive. Null where the file cannot be watched: then only looks count.
 */
export function watchMemoryEvents(path: string, short: () => void): FSWatcher | null {
  let before = countShort(readEvents(path))
  try {
    const watcher = watch(path, { persistent: false }, () => {
      const now = countShort(readEvents(path))
      const rose = now > before
      before = now
      if (rose) short()
    })
    return watcher.on('error', () => watcher.close())
  } catch {
    return null
  }
}

/** How often it was short so far. */
export const countShort = (events: string): number =>
  [...events.matchAll(/^(?:high|max) (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0)

function readEvents(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
