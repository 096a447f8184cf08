/**
 * How a forked process ends. Node's own end joins threads that the fork did not copy: it hangs or crashes. Where Node exits
 * by itself (`process.exit`, an error that nobody caught) native code does it instead (`MoldKernel.leaveByExit`); where it
 * has nothing left to do, `exit` is the last that JavaScript hears of, and is made the end.
 */
import type { Kernel } from '../kernel/kernel.ts'

/** What Node keeps for itself, at the same names in all versions. */
type Insides = NodeJS.Process & {
  /** Called with what nobody caught. False: Node prints it and exits. */
  _fatalException(error: unknown, fromPromise: boolean): boolean
  readonly _exiting: boolean | undefined
}

/** Calls of `process.exit` that have not come to their end, which is `process.reallyExit`: packages put their own there. */
let leaving = 0

/** In the mold, before any code is loaded: what an app keeps of `process.exit` must be this one. */
export function noteExits(): void {
  const { exit } = process
  process.exit = function (this: NodeJS.Process, ...args: Parameters<typeof exit>): never {
    leaving++
    try {
      return Reflect.apply(exit, this, args)
    } finally {
      leaving--
    }
  }
}

/** In the child, before any code of the app. Exit codes and what is printed are Node's. */
export function installExits(kernel: Pick<Kernel, 'exit'>): void {
  const insides = process as Insides
  let fatal = 0
  const judge = insides._fatalException
  const emit = process.emit as (event: string | symbol, ...args: unknown[]) => boolean
  insides._fatalException = function (...args) {
    fatal++
    try {
      return Reflect.apply(judge, this, args)
    } finally {
      fatal--
    }
  }
  process.emit = function (this: NodeJS.Process, event: string | symbol, ...args: unknown[]): boolean {
    const heard = Reflect.apply(emit, this, [event, ...args])
    // The app may emit it as well. Behind `process.exit` comes what exits; so it does behind an error, which is printed first.
    if (event === 'exit' && insides._exiting && fatal === 0 && leaving === 0)
      kernel.exit(Number(process.exitCode ?? args[0] ?? 0))
    return heard
  } as typeof process.emit
}
