/**
 * What an app may say about being forked (`import { preFork, postFork } from 'monoceros'`). The registry hangs on the
 * global object: the app may well have a copy of this package of its own.
 */
import type { Ms } from '../units.ts'

export type ForkHook = () => unknown

type Registry = {
  readonly preFork: ForkHook[]
  readonly postFork: ForkHook[]
  /** Where each was given, for messages. */
  readonly places: WeakMap<ForkHook, string>
}
type Which = 'preFork' | 'postFork'

const KEY = Symbol.for('monoceros.fork-hooks')
const registry = (): Registry => {
  const holder = globalThis as { [KEY]?: Registry }
  holder[KEY] ??= { preFork: [], postFork: [], places: new WeakMap() }
  return holder[KEY]
}

/** Node's own, whatever the app puts in its place. */
const [later, forget] = [setTimeout, clearTimeout]

/**
 * Calls this in the mold, once the app is loaded and before it is forked: to close pools and whatever else may not be
 * shared. May be async. Without `preload` it is never called.
 */
export function preFork(hook: ForkHook): void {
  note('preFork', hook, new Error())
}

/**
 * Calls this in each forked process before its first request: to open pools again, and to renew what random numbers
 * were drawn for. May be async. Without `preload` it is never called.
 */
export function postFork(hook: ForkHook): void {
  note('postFork', hook, new Error())
}

function note(which: Which, hook: ForkHook, { stack }: Error): void {
  registry()[which].push(hook)
  // The line below is whoever called us.
  const [, place] = /\(?([^\s()]+:\d+:\d+)\)?$/.exec(String(stack).split('\n')[2] ?? '') ?? []
  if (place !== undefined) registry().places.set(hook, place)
}

/** Whether anything is to run. */
export const hasHooks = (which: Which): boolean => registry()[which].length > 0

/** A hook has not come to its end in time. */
export class LateHook extends Error {
  override readonly name = 'Error'
}

/**
 * Runs them one after the other; rejects with the first error. The process lives as long as they take, for `within` at
 * most: then it rejects with a `LateHook` that names the one that is awaited.
 */
export async function runHooks(which: Which, within: Ms): Promise<void> {
  if (!hasHooks(which)) return
  let running: ForkHook | undefined
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const place = (): string => registry().places.get(running!) ?? 'an unknown place'
    const tell = (): void =>
      reject(new LateHook(`the ${which} hook given at ${place()} has not come to its end after ${within / 1000} s`))
    timer = later(tell, within)
  })
  const all = async (): Promise<void> => {
    for (running of registry()[which]) await running()
  }
  await Promise.race([all(), late]).finally(() => forget(timer))
}
