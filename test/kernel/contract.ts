/**
 * What every kernel promises, whether it is the real one or the fake. Each case gets a world of its own: for the real
 * kernel a process of its own.
 */
import { descriptors } from './contract-descriptors.ts'
import { processes } from './contract-processes.ts'
import type { Play } from './contract-world.ts'

export type { Play, World } from './contract-world.ts'

export const contract: Readonly<Record<string, Play>> = { ...processes, ...descriptors }
