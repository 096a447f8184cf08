/**
 * A worker that may become a mold (`reforkAfter`), and what is forked from it: the app goes on where it was, under another
 * worker's duties. What is installed once into Node and into the app's servers stays, and is handed on.
 */
import type { Server } from 'node:net'
import type { Fd, Ms } from '../units.ts'
import type { RequestHooks } from './hooks/request-hooks.ts'
import type { Listened, ListenPolicy } from './listen/listen.ts'
import type { Servers } from './serve.ts'

/** What a life hands on to the next one, in processes that are forked from it. */
export type Past = {
  readonly servers: Servers
  readonly hooks: RequestHooks
  readonly listened: ReadonlyMap<Server, Listened>
  /** The policy of the life that it is. */
  readonly policy: { current: ListenPolicy }
}

/** A worker that has drained and laid its duties down, but for the alarm, whose watcher is still there. */
export type Retired = { readonly past: Past; readonly alarm: Fd; readonly channel: Fd; readonly patience: Ms }

export type Lineage = {
  readonly past: Past | null
  /** Becomes a mold. Settles only where it cannot be one. */
  readonly promote: (worker: Retired) => Promise<void>
}

/** The same object for all lives: each question goes to the policy of the one that it is. */
export const delegating = (policy: Past['policy']): ListenPolicy => ({
  get bind() {
    return policy.current.bind
  },
  get backlog() {
    return policy.current.backlog
  },
  get grows() {
    return policy.current.grows
  },
  dup: (fd) => policy.current.dup(fd),
  guard: (handle) => policy.current.guard(handle),
  ask: (address, backlog) => policy.current.ask(address, backlog),
  claim: (handle, address) => policy.current.claim(handle, address),
  adopt: (server, family) => policy.current.adopt(server, family),
  accepting: () => policy.current.accepting(),
  redirected: (name, to) => policy.current.redirected(name, to),
})

/** In the next life, when it has begun: what listened at the end of the one before listens again. */
export function listenAgain({ listened }: Past): void {
  for (const [server, { again }] of [...listened]) if (server.listening) again?.()
}

/** Why what listens could not be listened on again; null: it can. */
export const cannotListenAgain = ({ listened }: Past): string | null =>
  [...listened].some(([server, { again }]) => server.listening && again === null)
    ? 'a server that listens on a descriptor of its own'
    : null
