/** What the machine, and the cgroups that we are in, give us (cgroups(7); kernel: Documentation/admin-guide/cgroup-v2). */
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, posix } from 'node:path'

export type Limits = {
  /** CPUs that we may use, at least 1; a part of one counts as one. */
  readonly cpus: number
  /** Bytes that the cgroups allow; null: as much as there is. */
  readonly memoryLimit: number | null
  /** Bytes of the machine; null when it does not say. */
  readonly memoryTotal: number | null
}

/** `root` is `/`, or a folder with files of the same names. `parallelism`: how many CPUs the scheduler gives us. */
export function readLimits(root = '/', parallelism: number = availableParallelism()): Limits {
  const read = (path: string): string | null => readText(join(root, path))
  const groups = ownGroups(read)
  const quotas = folders(groups, 'cpu').map((folder) => quota(folder, read))
  const sets = folders(groups, 'cpuset').map((folder) => cpuset(folder, read))
  const limits = folders(groups, 'memory').map((folder) => memory(folder, read))
  const cpus = Math.min(parallelism, ...present(quotas), ...present(sets))
  const least = Math.min(...present(limits))
  return {
    cpus: Math.max(1, Math.ceil(cpus)),
    memoryLimit: Number.isFinite(least) ? least : null,
    memoryTotal: memoryTotal(read('proc/meminfo')),
  }
}

/**
 * Where the kernel counts how often our own cgroup was short of memory, and tells watchers of the file (cgroup v2,
 * `memory.events`); null where there is none: cgroup v1, and the root of all cgroups.
 */
export function memoryEventsPath(root = '/'): string | null {
  const read = (path: string): string | null => readText(join(root, path))
  const own = folders(ownGroups(read), 'memory').find(({ version }) => version === 2)
  const path = own && join(root, own.path, 'memory.events')
  return path !== undefined && existsSync(path) ? path : null
}

type Read = (path: string) => string | null

/** A hierarchy that we are in: where it is mounted, and our path in it below what is mounted. */
type Group = {
  readonly version: 1 | 2
  readonly controllers: readonly string[]
  readonly mount: string
  readonly path: string
}

type Folder = { readonly version: 1 | 2; readonly path: string }

const present = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null)

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** /proc/self/cgroup names our path in each hierarchy, /proc/self/mountinfo where that hierarchy is to be found. */
function ownGroups(read: Read): Group[] {
  const paths = (read('proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const match = /^\d+:([^:]*):(.*)$/.exec(line)
    return match === null ? [] : [{ controllers: match[1]!, path: match[2]! }]
  })
  return (read('proc/self/mountinfo') ?? '').split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , mounted = '/', mount = ''] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') return []
    const controllers = type === 'cgroup2' ? [''] : options.split(',')
    const own = paths.find(({ controllers: ours }) => ours.split(',').some((one) => controllers.includes(one)))
    if (own === undefined) return []
    return [{ version: type === 'cgroup2' ? 2 : 1, controllers, mount, path: below(own.path, mounted) }] as const
  })
}

/** Our path as seen from a mount that shows only the part from `mounted` on, as in a container. */
function below(path: string, mounted: string): string {
  if (mounted === '/') return path
  return path === mounted || path.startsWith(`${mounted}/`) ? path.slice(mounted.length) || '/' : '/'
}

/** Our own folder of a controller and those above it: a limit holds for everything below. */
function folders(groups: readonly Group[], controller: string): Folder[] {
  return groups
    .filter(({ version, controllers }) => version === 2 || controllers.includes(controller))
    .flatMap(({ version, mount, path }) => {
      const found: Folder[] = []
      for (let at = posix.normalize(path); ; at = posix.dirname(at)) {
        found.push({ version, path: posix.join(mount, at) })
        if (at === '/' || at === '.') return found
      }
    })
}

/** CPUs by time: quota divided by period. */
function quota({ version, path }: Folder, read: Read): number | null {
  const [time, period] =
    version === 2
      ? (read(`${path}/cpu.max`) ?? '').trim().split(' ')
      : [read(`${path}/cpu.cfs_quota_us`)?.trim(), read(`${path}/cpu.cfs_period_us`)?.trim()]
  const cpus = Number(time) / Number(period)
  return cpus > 0 && Number.isFinite(cpus) ? cpus : null
}

/** CPUs by number, such as `0-3,8`. */
function cpuset({ version, path }: Folder, read: Read): number | null {
  const names = version === 2 ? ['cpuset.cpus.effective'] : ['cpuset.effective_cpus', 'cpuset.cpus']
  const text = names.map((name) => read(`${path}/${name}`)?.trim()).find((found) => found)
  if (text === undefined) return null
  const counts = text.split(',').map((range) => {
    const [from = '', to = from] = range.split('-')
    return Number(to) - Number(from) + 1
  })
  const sum = counts.reduce((total, one) => total + one, 0)
  return sum > 0 ? sum : null
}

/** v1 writes "no limit" as the largest multiple of the page size below 2^63. */
const NO_LIMIT = 2 ** 60

function memory({ version, path }: Folder, read: Read): number | null {
  const text = read(`${path}/${version === 2 ? 'memory.max' : 'memory.limit_in_bytes'}`)?.trim()
  const bytes = Number(text)
  return text !== undefined && text !== '' && bytes > 0 && bytes < NO_LIMIT ? bytes : null
}

function memoryTotal(meminfo: string | null): number | null {
  const match = /^MemTotal:\s+(\d+) kB/m.exec(meminfo ?? '')
  return match === null ? null : Number(match[1]) * 1024
}
