/** What the cases of the contract work with. */
import assert from 'node:assert/strict'
import type { Exit, Kernel, KernelError, Signal, SpawnPlan } from '../../lib/kernel/kernel.ts'
import type { Fd, Pid } from '../../lib/units.ts'

/** A kernel and what a case needs around it. */
export type World = {
  readonly kernel: Kernel
  /** Plans for programs that exist in this world. `channel` becomes their descriptor 3. */
  readonly plans: {
    exits(code: number): SpawnPlan
    /** Lives until a signal ends it. */
    waits(): SpawnPlan
    /** Says `ready` on its channel once it no longer hears TERM. */
    ignoresTerm(channel: Fd): SpawnPlan
    /** Leaves at once; its own child lives a moment longer and exits with the code. */
    orphans(code: number): SpawnPlan
  }
  /** Sends a signal to this process. */
  raise(signal: Signal): void
  /** A path in a folder of the case's own. */
  path(name: string): string
}

export type Play = (world: World) => void | Promise<void>

export const here = { backlog: 5 }
export const text = (data: string): Uint8Array => Buffer.from(data)

/** Waits until the descriptor is readable (or writable). */
export const ready = (kernel: Kernel, at: Fd, on: 'readable' | 'writable' = 'readable'): Promise<void> =>
  new Promise((resolve) => {
    const watch = kernel.watch(at, on, () => {
      watch.close()
      resolve()
    })
  })

/** Waits until `found` finds something, asked again after each signal. */
export async function afterSignals<T>(kernel: Kernel, found: () => T | undefined): Promise<T> {
  const signals = kernel.openSignals(['SIGCHLD'])
  for (let result = found(); ; result = found()) {
    if (result !== undefined) return result
    await ready(kernel, signals)
    kernel.readSignals()
  }
}

export const reaped = (kernel: Kernel, child: Pid): Promise<Exit> => afterSignals(kernel, () => kernel.reap([child])[0])

export function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return assert.fail('nothing was thrown')
}

export function fails(act: () => unknown, code: string): void {
  const error = thrown(act) as KernelError
  assert.equal(error.code, code, String(error))
  assert(error.errno < 0 && error.syscall !== '' && !error.message.includes('\n'))
}
