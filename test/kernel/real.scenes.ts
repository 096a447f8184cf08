/** The contract, played by the real kernel. */
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { childEnvironment } from '../../lib/kernel/environment.ts'
import type { SpawnPlan } from '../../lib/kernel/kernel.ts'
import { type Fd, fd } from '../../lib/units.ts'
import type { Scenes } from '../support/scenes.ts'
import { contract, type Play } from './contract.ts'
import { realKernel } from './real.ts'

export const scenes: Scenes = Object.fromEntries(
  Object.entries<Play>(contract).map(([title, play]) => [title, () => inWorld(play)]),
)

async function inWorld(play: Play): Promise<void> {
  const folder = mkdtempSync('/tmp/mono-')
  const kernel = realKernel()
  try {
    await play({
      kernel,
      plans: {
        exits: (code) => shell(`exit ${code}`),
        waits: () => shell('exec sleep 1000'),
        ignoresTerm: (channel) => shell('trap "" TERM; echo ready >&3; exec sleep 1000', channel),
        orphans: (code) => shell(`(exit ${code}) & exit 0`),
      },
      raise: (signal) => process.kill(process.pid, signal),
      path: (name) => join(folder, name),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Its descriptor 3 is the channel; what it inherits besides is nothing. */
function shell(script: string, channel?: Fd): SpawnPlan {
  const nowhere = fd(openSync('/dev/null', 'r+'))
  const fds = [nowhere, nowhere, fd(2), ...(channel === undefined ? [] : [channel])]
  return {
    file: '/bin/sh',
    argv: ['sh', '-c', script],
    env: childEnvironment(process.env),
    fds: fds.map((from, to) => ({ from, to })),
    parentDeathSignal: 'SIGKILL',
  }
}
