import { join } from 'node:path'
import type { SpawnPlan } from '../../lib/kernel/kernel.ts'
import { type Fd, fd } from '../../lib/units.ts'
import { FakeKernel } from '../support/fake-kernel.ts'
import { playScenes } from '../support/scenes.ts'
import { contract, type World } from './contract.ts'
import { scenes } from './real.scenes.ts'

describe('the kernel', () => playScenes(join(__dirname, 'real.scenes.ts'), scenes))

describe('the fake kernel', () => {
  for (const [title, play] of Object.entries(contract)) it(title, async () => play(fakeWorld()))
})

function fakeWorld(): World {
  const kernel = new FakeKernel()
  kernel.programs.set('/exits', (self) => self.exits(Number(self.plan.argv[1])))
  kernel.programs.set('/waits', () => {})
  kernel.programs.set('/ignoresTerm', (self) => {
    self.handlers.set('SIGTERM', 'ignore')
    self.sends(3, 'ready')
  })
  kernel.programs.set('/orphans', (self) => {
    self.forks((child) => setImmediate(() => child.exits(Number(self.plan.argv[1]))))
    self.exits(0)
  })
  return {
    kernel,
    plans: {
      exits: (code) => plan('/exits', [String(code)]),
      waits: () => plan('/waits'),
      ignoresTerm: (channel) => plan('/ignoresTerm', [], channel),
      orphans: (code) => plan('/orphans', [String(code)]),
    },
    raise: (signal) => kernel.raise(signal),
    path: (name) => `/${name}`,
  }
}

function plan(file: string, args: readonly string[] = [], channel?: Fd): SpawnPlan {
  const fds = [fd(0), fd(1), fd(2), ...(channel === undefined ? [] : [channel])]
  return { file, argv: [file, ...args], env: {}, fds: fds.map((from, to) => ({ from, to })) }
}
