import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { compiled } from '../support/compile.ts'
import { faults } from '../support/faults.ts'
import { playScenes } from '../support/scenes.ts'
import { capable, deaf, hidden, orphaned, scenes } from './spawn.scenes.ts'

const FILE = join(__dirname, 'spawn.scenes.ts')
const launch = compiled(join(__dirname, 'launch.c'))
const env = { LAUNCH: launch }
const withoutStrays = Object.fromEntries(
  (
    [
      'a child has no descriptor but those in the plan',
      // Here the walk of /proc/self/fd cannot be opened.
      'a full table of descriptors is the stage fds, and where no new one is needed the child starts',
    ] as const
  ).map((title) => [title, scenes[title]]),
)

describe('a child', () => playScenes(FILE, scenes, { env }))

describe('a child, while every signal from 1 to 64 is ignored and blocked,', () =>
  playScenes(FILE, deaf, { under: [launch, 'ignore'] }))

describe('a child of a process that has the capability to change its user,', () =>
  playScenes(FILE, capable, {
    under: ['setpriv', '--reuid=65534', '--clear-groups', '--inh-caps=+setuid', '--ambient-caps=+setuid', '--'],
  }))

for (const error of ['ENOSYS', 'EINVAL', 'EPERM']) {
  describe(`where close_range(2) is ${error},`, () =>
    playScenes(FILE, withoutStrays, { under: [launch, 'deny', 'close_range', error], env }))
}

describe('where close_range(2) is ENOSYS and there is no /proc,', () =>
  playScenes(FILE, hidden, { under: [launch, 'deny', 'close_range', 'ENOSYS', 'unshare', '-m'], env }))

describe('between fork and exec', () => {
  playScenes(FILE, orphaned, { env: { FAULTS: faults({}).LD_PRELOAD! } })

  it('the child calls nothing but what is async-signal-safe', () => {
    const object = join(__dirname, '../../build/Release/obj.target/child/native/child.o')
    const symbols = execFileSync('nm', ['-u', object], { encoding: 'utf8' }).match(/\S+$/gm)
    expect(symbols?.map((name) => name.replace(/64$/, '')).sort()).toEqual([
      '__errno_location',
      '_exit',
      'chdir',
      'close',
      'dup2',
      'execve',
      'fcntl',
      'getppid',
      'open',
      'prctl',
      'setpgid',
      'setsid',
      'syscall',
      'umask',
    ])
  })
})
