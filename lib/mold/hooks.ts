/**
 * What an app may say about being forked (`import { preFork, postFork } from 'monoceros'`). The registry hangs on the
 * global object: the app may well have a copy of this package of its own.
 */
export type ForkHook = () => unknown

type Registry = { readonly preFork: ForkHook[]; readonly postFork: ForkHook[] }

const KEY = Symbol.for('monoceros.fork-hooks')
const registry = (): Registry => {
  const holder = globalThis as { [KEY]?: Registry }
  holder[KEY] ??= { preFork: [], postFork: [] }
  return holder[KEY]
}

/**
 * Calls this in the mold, once the app is loaded and before it is forked: to close pools and whatever else may not be
 * shared. May be async. Without `preload` it is never called.
 */
export function preFork(hook: ForkHook): void {
  registry().preFork.push(hook)
}

/**
 * Calls this in each forked process before its first request: to open pools again, and to renew what random numbers
 * were drawn for. May be async. Without `preload` it is never called.
 */
export function postFork(hook: ForkHook): void {
  registry().postFork.push(hook)
}

/** Runs them one after the other; rejects with the first error. */
export async function runHooks(which: keyof Registry): Promise<void> {
  for (const hook of registry()[which]) await hook()
}
