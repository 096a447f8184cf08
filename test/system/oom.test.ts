import { outOfMemoryKills } from '../../lib/system/oom.ts'
import { temporaryFolder } from '../support/folder.ts'

describe('the kills of the out-of-memory killer', () => {
  it('are counted by a cgroup of version 2', () => {
    const root = temporaryFolder({
      'proc/self/cgroup': '0::/shop.service\n',
      'sys/fs/cgroup/shop.service/memory.events': 'low 0\nhigh 3\nmax 9\noom 2\noom_kill 2\noom_group_kill 0\n',
    })
    expect(outOfMemoryKills(root)).toBe(2)
  })

  it('are counted at the top inside of a container', () => {
    const root = temporaryFolder({
      'proc/self/cgroup': '0::/docker/1234\n',
      'sys/fs/cgroup/memory.events': 'oom_kill 7\n',
    })
    expect(outOfMemoryKills(root)).toBe(7)
  })

  it('are counted by the memory controller of version 1, there or at its top', () => {
    const own = '9:memory:/shop\n8:cpu,cpuacct:/shop\n0::/\n'
    const control = 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n'
    expect(
      outOfMemoryKills(
        temporaryFolder({ 'proc/self/cgroup': own, 'sys/fs/cgroup/memory/shop/memory.oom_control': control }),
      ),
    ).toBe(4)
    expect(
      outOfMemoryKills(
        temporaryFolder({ 'proc/self/cgroup': own, 'sys/fs/cgroup/memory/memory.oom_control': control }),
      ),
    ).toBe(4)
  })

  it('are unknown where nobody counts', () => {
    expect(outOfMemoryKills(temporaryFolder())).toBeNull()
    expect(outOfMemoryKills(temporaryFolder({ 'proc/self/cgroup': '0::/\n' }))).toBeNull()
  })
})
