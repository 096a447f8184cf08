import { join } from 'node:path'
import type * as addon from '../../lib/kernel/addon.ts'
import type { Kernel } from '../../lib/kernel/kernel.ts'

/** The addon, over the built JavaScript: for scenes only, never in the jest worker. */
export const realKernel = (): Kernel =>
  (require(join(__dirname, '..', '..', 'dist', 'kernel', 'addon.js')) as typeof addon).loadKernel()
