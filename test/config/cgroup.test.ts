/** Trees as containers and machines show them. The scheduler's own number is given, so that the machine plays no part. */
import { memoryEventsPath, readLimits } from '../../lib/config/cgroup.ts'
import { heapOption, workerCount, workersHint } from '../../lib/config/sizing.ts'
import { temporaryFolder } from '../support/folder.ts'

const GB = 1024 ** 3
const MEMINFO = { 'proc/meminfo': 'MemTotal:       16777216 kB\nMemFree:  1 kB\n' }
const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n'

const limits = (files: Readonly<Record<string, string>>, parallelism = 64) =>
  readLimits(temporaryFolder({ ...MEMINFO, ...files }), parallelism)

describe('cgroup v2', () => {
  const container = (files: Readonly<Record<string, string>>) =>
    limits({
      'proc/self/cgroup': '0::/\n',
      'proc/self/mountinfo': V2_MOUNT,
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`sys/fs/cgroup/${name}`, text])),
    })

  test('without limits there is what the machine has', () => {
    expect(container({ 'cpu.max': 'max 100000\n', 'memory.max': 'max\n' })).toEqual({
      cpus: 64,
      memoryLimit: null,
      memoryTotal: 16 * GB,
    })
    expect(container({})).toEqual({ cpus: 64, memoryLimit: null, memoryTotal: 16 * GB })
  })

  test('a container has its quota, its CPUs and its memory', () => {
    expect(container({ 'cpu.max': '200000 100000\n', 'memory.max': '536870912\n' })).toEqual({
      cpus: 2,
      memoryLimit: GB / 2,
      memoryTotal: 16 * GB,
    })
    expect(container({ 'cpuset.cpus.effective': '0-2,8,10-11\n' }).cpus).toBe(6)
    expect(container({ 'cpu.max': '400000 100000\n', 'cpuset.cpus.effective': '5\n' }).cpus).toBe(1)
  })

  test('a part of a CPU counts as one', () => {
    expect(container({ 'cpu.max': '150000 100000\n' }).cpus).toBe(2)
    expect(container({ 'cpu.max': '50000 100000\n' }).cpus).toBe(1)
  })

  test('the tightest limit on the way up holds', () => {
    const files = {
      'proc/self/cgroup': '0::/system.slice/web.service\n',
      'proc/self/mountinfo': V2_MOUNT,
      'sys/fs/cgroup/system.slice/cpu.max': '300000 100000\n',
      'sys/fs/cgroup/system.slice/memory.max': '1073741824\n',
      'sys/fs/cgroup/system.slice/web.service/cpu.max': '800000 100000\n',
      'sys/fs/cgroup/system.slice/web.service/memory.max': '4294967296\n',
    }
    expect(limits(files)).toMatchObject({ cpus: 3, memoryLimit: GB })
  })

  test('a path that the container does not show is the root of what it shows', () => {
    const files = {
      'proc/self/cgroup': '0::/../../kubepods/pod1\n',
      'proc/self/mountinfo': V2_MOUNT,
      'sys/fs/cgroup/cpu.max': '100000 100000\n',
    }
    expect(limits(files).cpus).toBe(1)
  })
})

describe('cgroup v1', () => {
  const MOUNTS = [
    '31 25 0:27 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct',
    '32 25 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
    '33 25 0:29 /docker/abc /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset',
    '34 25 0:30 / /sys/fs/cgroup/systemd ro - cgroup cgroup rw,name=systemd',
    '35 25 0:31 / / rw - overlay overlay rw',
    '',
  ].join('\n')
  const container = (files: Readonly<Record<string, string>>) =>
    limits({
      'proc/self/cgroup':
        '4:memory:/docker/abc\n3:cpuset:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n',
      'proc/self/mountinfo': MOUNTS,
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`sys/fs/cgroup/${name}`, text])),
    })

  test('without limits there is what the machine has', () => {
    const files = {
      'cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      'cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      'memory/memory.limit_in_bytes': '9223372036854771712\n',
    }
    expect(container(files)).toMatchObject({ cpus: 64, memoryLimit: null })
  })

  test('a container has its quota, its CPUs and its memory', () => {
    const files = {
      'cpu,cpuacct/cpu.cfs_quota_us': '250000\n',
      'cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      'memory/memory.limit_in_bytes': '1073741824\n',
    }
    expect(container(files)).toMatchObject({ cpus: 3, memoryLimit: GB })
    expect(container({ ...files, 'cpuset/cpuset.effective_cpus': '', 'cpuset/cpuset.cpus': '0-1\n' }).cpus).toBe(2)
  })

  test('the unified hierarchy beside it, without controllers, does no harm', () => {
    const files = {
      'proc/self/cgroup': '1:cpu:/a\n0::/a\n',
      'proc/self/mountinfo': `31 1 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n32 1 0:2 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
      'sys/fs/cgroup/cpu/a/cpu.cfs_quota_us': '100000\n',
      'sys/fs/cgroup/cpu/a/cpu.cfs_period_us': '100000\n',
    }
    expect(limits(files)).toMatchObject({ cpus: 1, memoryLimit: null })
  })
})

test('where nothing can be read there is what the scheduler says', () => {
  expect(readLimits(temporaryFolder(), 3)).toEqual({ cpus: 3, memoryLimit: null, memoryTotal: null })
  expect(limits({ 'proc/self/cgroup': 'nonsense\n', 'proc/self/mountinfo': 'nonsense\n' }, 3).cpus).toBe(3)
})

test('the machine that runs this has limits that make sense', () => {
  const { cpus, memoryTotal } = readLimits()
  expect(cpus).toBeGreaterThanOrEqual(1)
  expect(memoryTotal).toBeGreaterThan(64 * 1024 ** 2)
})

describe('the number of workers', () => {
  const machine = { cpus: 8, memoryLimit: null, memoryTotal: 16 * GB }

  test('is what was asked for, whatever there is', () => {
    expect(workerCount(20, machine)).toBe(20)
  })

  test('is by itself that of the CPUs, as far as the memory goes', () => {
    expect(workerCount('auto', machine)).toBe(8)
    expect(workerCount('auto', { ...machine, memoryLimit: GB })).toBe(4)
    expect(workerCount('auto', { ...machine, memoryTotal: GB / 2 })).toBe(2)
    expect(workerCount('auto', { ...machine, memoryLimit: GB / 16 })).toBe(1)
    expect(workerCount('auto', { ...machine, memoryTotal: null })).toBe(8)
  })
})

test('a hint is given where nobody has chosen and there is room', () => {
  const machine = { cpus: 4, memoryLimit: null, memoryTotal: 16 * GB }
  expect(workersHint(false, machine)).toBe('one worker; --workers auto would start 4')
  expect([workersHint(true, machine), workersHint(false, { ...machine, cpus: 1 })]).toEqual([null, null])
})

describe("a worker's heap", () => {
  const container = { cpus: 8, memoryLimit: GB, memoryTotal: 16 * GB }

  test('is three quarters of its share of a limited memory', () => {
    expect(heapOption(container, 4, [])).toBe('--max-old-space-size=192')
    expect(heapOption(container, 100, [])).toBe('--max-old-space-size=32')
  })

  test("is Node's own business where memory is not limited, or where somebody has chosen", () => {
    expect(heapOption({ ...container, memoryLimit: null }, 4, [])).toBeNull()
    for (const given of [
      '--max-old-space-size=100',
      '--max_old_space_size=100',
      '--expose-gc --max-heap-size=9',
      '--max-old-space-size-percentage=50',
    ]) {
      expect(heapOption(container, 4, ['--env-file=.env', given])).toBeNull()
    }
  })
})

describe('the file that tells when memory is short', () => {
  const tree = (mountinfo: string, files: Readonly<Record<string, string>>) =>
    temporaryFolder({ 'proc/self/cgroup': '0::/shop\n', 'proc/self/mountinfo': mountinfo, ...files })

  test('is that of our own cgroup v2', () => {
    const root = tree(V2_MOUNT, { 'sys/fs/cgroup/shop/memory.events': 'max 0\n' })
    expect(memoryEventsPath(root)).toBe(`${root}/sys/fs/cgroup/shop/memory.events`)
  })

  test('is not there at the root of all cgroups, and not with cgroup v1', () => {
    expect(memoryEventsPath(tree(V2_MOUNT, {}))).toBeNull()
    expect(memoryEventsPath(tree('33 32 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n', {}))).toBeNull()
  })
})
