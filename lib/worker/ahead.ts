/** What a process that was forked ahead can do before it knows which worker it is. No code of the app runs by it. */
import type { WorkerSettings } from '../config/settings.ts'
import type { EngineOptions } from '../http/engine.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'
import { engineOptions } from './engine-options.ts'
import { otherEndOf } from './other-end.ts'

export type Ahead = {
  readonly memory: ArrayBuffer
  /** Null: to be made when it begins, because files of TLS may be renewed until then. */
  readonly engine: EngineOptions | null
  /** As of `Kernel.watchForStuckStack`. */
  readonly watchLacks: string | null
}

export const prepareAhead = (kernel: Kernel, settings: WorkerSettings, memory: Fd, alarm: Fd): Ahead => ({
  memory: kernel.map(memory),
  engine: settings.certfile === null ? engineOptions(settings, otherEndOf(kernel)) : null,
  watchLacks: kernel.watchForStuckStack(alarm),
})
