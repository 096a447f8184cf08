/** The servers that the app has made listen: where they accept, which one clients mean, and how they stop. */
import type { Server } from 'node:net'
import type { Kernel, ListenerAddress } from '../../kernel/kernel.ts'
import { acceptRest, closedHandle, type Handle } from './handle.ts'
import type { Listened } from './listen.ts'
import type { Front, Questioned } from './probe.ts'

/** Connections taken from each queue before a listener is closed; more come only where others accept as well. */
const REST = 4_096

/** Where the app accepts connections. A plain server that nobody shares is not what it was started for. */
export const accepting = (listened: ReadonlyMap<Server, Listened>): readonly ListenerAddress[] =>
  [...listened].flatMap(([server, { family, shared, addresses, isTrial }]) => {
    if (!server.listening || isTrial || (family === 'net' && !shared)) return []
    const own = shared ? null : server.address()
    return own !== null && typeof own === 'object' ? [{ kind: 'tcp', host: own.address, port: own.port }] : addresses
  })

/** Whether a server of the app was led to `bind`, and is open. */
export const servesBind = (listened: ReadonlyMap<Server, Listened>): boolean =>
  [...listened].some(([server, { bound }]) => bound && server.listening)

/** The one that clients mean: the first that all workers share; metrics and the like come later. */
export const firstServer = (listened: ReadonlyMap<Server, Listened>, front: Front): Questioned | null => {
  const open = [...listened].filter(([server, { family }]) => server.listening && family !== 'net')
  const [server, found] = open.find(([, { shared }]) => shared) ?? open[0] ?? []
  return server === undefined || found === undefined ? null : { server, family: found.family, front }
}

/**
 * The server stays open for the app, which may close it in its own way; only its socket is closed. `takeRest`: what waits
 * in its queue is accepted first.
 */
export const stopAccepting = (kernel: Kernel, server: Server, takeRest: boolean): void => {
  const insides = server as unknown as { _handle: Handle | null }
  const handle = insides._handle
  if (handle === null) return
  try {
    if (takeRest) acceptRest(kernel, handle, REST)
  } catch {
    // The descriptor table is full: whoever else holds the socket accepts the others.
  }
  insides._handle = closedHandle(handle)
  handle.close()
}
