/**
 * How a forked process ends. Node's own end joins threads that the fork did not copy: it hangs or crashes. So the last
 * thing that JavaScript hears of is made the end: after `exit` was emitted, the process leaves by _exit(2).
 */
import { writeSync } from 'node:fs'
import { inspect } from 'node:util'
import type { Kernel } from '../kernel/kernel.ts'

const STDERR = 2

/** In the child, before any code of the app. Exit codes and what is printed are as Node's. */
export function installExits(kernel: Pick<Kernel, 'exit'>): void {
  let fatal: { readonly error: unknown } | null = null
  process.on('uncaughtExceptionMonitor', (error) => {
    if (process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback())
      fatal = { error }
  })
  const emit = process.emit as (event: string | symbol, ...args: unknown[]) => boolean
  const emitAndEnd = function (this: NodeJS.Process, event: string | symbol, ...args: unknown[]): boolean {
    const heard = Reflect.apply(emit, this, [event, ...args])
    if (event !== 'exit') return heard
    if (fatal !== null) say(`Uncaught:\n${inspect(fatal.error)}\n\nNode.js ${process.version}\n`)
    return kernel.exit(Number(process.exitCode ?? args[0] ?? 0))
  }
  process.emit = emitAndEnd as typeof process.emit
}

function say(text: string): void {
  try {
    writeSync(STDERR, text)
  } catch {} // nobody reads it any more
}
