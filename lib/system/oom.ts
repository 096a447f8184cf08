/** Whether the kernel killed for want of memory: its own count for our control group. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * How many processes of our control group were killed by the out-of-memory killer, ever; null where nobody counts.
 * cgroup v2 has it in memory.events, v1 in memory.oom_control (kernel documentation, cgroup-v2 and memory).
 */
export function outOfMemoryKills(root = '/'): number | null {
  for (const line of read(join(root, 'proc/self/cgroup')).split('\n')) {
    const [, controllers, path] = line.split(':')
    if (path === undefined) continue
    const group = join(root, 'sys/fs/cgroup')
    const unified = controllers === '' && countIn(join(group, path, 'memory.events'))
    const own = controllers === '' ? unified : controllers!.split(',').includes('memory') && v1(group, path)
    if (typeof own === 'number') return own
  }
  // In a container the path of /proc/self/cgroup may be the host's, while the group's own files stand at the top.
  return countIn(join(root, 'sys/fs/cgroup/memory.events'))
}

const v1 = (group: string, path: string): number | null =>
  countIn(join(group, 'memory', path, 'memory.oom_control')) ?? countIn(join(group, 'memory/memory.oom_control'))

function countIn(file: string): number | null {
  const found = /^oom_kill (\d+)$/m.exec(read(file))
  return found === null ? null : Number(found[1])
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
