/** The contract, played by the real kernel. */
import { join } from 'node:path'
import type { Scenes } from '../support/scenes.ts'
import { scratch } from '../support/scratch.ts'
import { shell } from './children.ts'
import { contract, type Play } from './contract.ts'
import { realKernel } from './real.ts'

export const scenes: Scenes = Object.fromEntries(
  Object.entries(contract).map(([title, play]) => [title, () => inWorld(play)]),
)

async function inWorld(play: Play): Promise<void> {
  const folder = scratch()
  const kernel = realKernel()
  await play({
    kernel,
    plans: {
      exits: (code) => shell(`exit ${code}`),
      waits: () => shell('exec sleep 1000'),
      ignoresTerm: (channel) =>
        shell('trap "" TERM; echo ready >&3; exec sleep 1000', { more: [{ from: channel, to: 3 }] }),
      orphans: (code) => shell(`(exit ${code}) & exit 0`),
    },
    raise: (signal) => process.kill(process.pid, signal),
    path: (name) => join(folder, name),
  })
}
