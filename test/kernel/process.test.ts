import { join } from 'node:path'
import { compiled } from '../support/compile.ts'
import { isAlive } from '../support/proc.ts'
import { startNode } from '../support/process.ts'
import { playScenes } from '../support/scenes.ts'
import { until } from '../support/until.ts'
import { kills, parents, scenes } from './process.scenes.ts'

const FILE = join(__dirname, 'process.scenes.ts')
const SUPPORT = join(__dirname, '..', 'support')
const launch = compiled(join(__dirname, 'launch.c'))

describe('a process', () => playScenes(FILE, scenes))

describe('on a kernel without pidfds', () =>
  playScenes(FILE, kills, { under: [launch, 'deny', 'pidfd_open', 'ENOSYS'] }))

describe('a child with a parent-death signal dies with its parent', () => {
  for (const title of Object.keys(parents)) {
    it(`that ${title}`, async () => {
      const parent = startNode(join(SUPPORT, 'player.ts'), [FILE, title], {
        env: { NODE_OPTIONS: `-r ${join(SUPPORT, 'typescript.js')}` },
      })
      const child = Number((await parent.line(/^child (\d+)$/))[1])
      expect(isAlive(child)).toBe(true)
      parent.signal('SIGKILL')
      await parent.ended()
      await until(() => !isAlive(child))
    })
  }
})
