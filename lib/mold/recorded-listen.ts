/** `listen()` while the app is loaded into the mold: nothing is opened there; each child carries it out. */
import { Server } from 'node:net'

type Call = { readonly server: Server; readonly args: readonly unknown[]; readonly during: string }

export type RecordedListen = {
  /** What is being loaded, for those who fork from a mold of several things. */
  during: string
  isEmpty(): boolean
  /** In the child, before `listen` is intercepted for the worker. */
  restore(): void
  /**
   * In the child, when `listen` is again what it should be: calls it for each server, in the order of the recording.
   * `during`: only for those that were to listen while that was loaded.
   */
  replay(during?: string): void
}

/** Before the app is loaded. A server that was closed again before the fork stays closed. */
export function recordListen(): RecordedListen {
  const calls: Call[] = []
  const original = Server.prototype.listen
  const close = Server.prototype.close
  const forget = (server: Server): void => {
    const at = calls.findIndex((call) => call.server === server)
    if (at >= 0) calls.splice(at, 1)
  }
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    calls.push({ server: this, args, during: recorded.during })
    return this
  } as typeof original
  Server.prototype.close = function (this: Server, ...args: Parameters<typeof close>) {
    forget(this)
    return Reflect.apply(close, this, args)
  }
  const recorded: RecordedListen = {
    during: '',
    isEmpty: () => calls.length === 0,
    restore() {
      Server.prototype.listen = original
      Server.prototype.close = close
    },
    replay(during) {
      for (const call of calls.splice(0))
        if (during === undefined || call.during === during) Reflect.apply(call.server.listen, call.server, call.args)
    },
  }
  return recorded
}
