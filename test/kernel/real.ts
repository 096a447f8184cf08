import { join } from 'node:path'
import type * as addon from '../../lib/kernel/addon.ts'
import type { Kernel } from '../../lib/kernel/kernel.ts'
import type { MoldKernel } from '../../lib/kernel/mold-kernel.ts'

const built = (): typeof addon => require(join(__dirname, '..', '..', 'dist', 'kernel', 'addon.js'))

/** The addon, over the built JavaScript: for scenes only, never in the jest worker. */
export const realKernel = (): Kernel => built().loadKernel()

export const realMoldKernel = (): MoldKernel => built().loadMoldKernel()
