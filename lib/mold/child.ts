/** A process that was forked from a mold, before any code of the app runs in it again. */
import type { Kernel } from '../kernel/kernel.ts'
import { installExits } from './exits.ts'
import type { Randomness } from './randomness.ts'

let endsByItself = false

/** Gives it an identity, randomness and an end of its own; also the child of a child. */
export function becomeOneself(kernel: Kernel, randomness: Randomness): void {
  // Node keeps both; after a fork they are the mold's.
  Object.defineProperty(process, 'pid', { value: kernel.getpid(), enumerable: true, configurable: true })
  Object.defineProperty(process, 'ppid', { get: () => kernel.getppid(), enumerable: true, configurable: true })
  randomness.renew()
  if (!endsByItself) installExits(kernel)
  endsByItself = true
}
