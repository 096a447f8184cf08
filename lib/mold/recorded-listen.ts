/**
 * `listen()` while the app is loaded into the mold: nothing is opened there; each child carries it out. Until then the
 * server looks as if it listened: Node's own `address`, `listening`, `close` and the like find a handle in it that stands
 * for the one that is to come.
 */
import { AsyncResource } from 'node:async_hooks'
import { lookup } from 'node:dns'
import { existsSync } from 'node:fs'
import { isIP, Server } from 'node:net'
import type { ListenerAddress } from '../kernel/kernel.ts'
import { type Handle, NO_HANDLE } from '../worker/listen/handle.ts'
import { familyOf, wantsItsOwn } from '../worker/listen/listen.ts'
import { type ListenRequest, nameOf, place } from '../worker/listen/place.ts'

type Call = {
  readonly server: ServerInsides
  readonly args: readonly unknown[]
  /** Of the call: what the app has entered there (AsyncLocalStorage) is there in each connection. */
  readonly context: AsyncResource
  readonly during: string
  readonly handle: Handle
}
type ServerInsides = Server & { _handle: Handle | null; _pipeName?: string | undefined }

export type RecordedListen = {
  /** What is being loaded, for those who fork from a mold of several things. */
  during: string
  /** How many servers are to listen, and which. */
  count(): number
  servers(): readonly Server[]
  /** In the child, before `listen` is intercepted for the worker. */
  restore(): void
  /**
   * In the child, when `listen` is again what it should be: calls it for each server, in the order of the recording.
   * `during`: only for those that were to listen while that was loaded.
   */
  replay(during?: string): void
}

/**
 * Before the app is loaded. `bind`: where HTTP servers of its children are led. A server that was closed again before it is
 * replayed stays closed.
 */
export function recordListen(bind: readonly ListenerAddress[] = []): RecordedListen {
  const calls = new Set<Call>()
  /** Who is led to `bind`. One that is closed never was, for the children. */
  let led: { readonly name: string; readonly by: Call } | null = null
  const original = Server.prototype.listen
  const known = (call: Call, request: ListenRequest): void => {
    if (!calls.has(call)) return
    const { kind } = place(request, { explicit: bind.length > 0, name: led?.name ?? null })
    if (kind === 'bound') led ??= { name: nameOf(request), by: call }
    for (const address of kind === 'bound' ? bind : addressesOf(request)) show(call, address)
  }
  Server.prototype.listen = function (this: ServerInsides, ...args: unknown[]) {
    // Node refuses it: this one listens already, or has been given a handle.
    if (this._handle != null) return Reflect.apply(original, this, args)
    const closed = (): void => {
      calls.delete(call)
      if (led?.by === call) led = null
    }
    const handle = standIn(closed)
    const call: Call = { server: this, args, context: new AsyncResource('monoceros'), during: recorded.during, handle }
    calls.add(call)
    this._handle = handle
    const place = placeOf(args)
    if (place === null) return this
    const request = {
      ...place,
      own: wantsItsOwn(args[0]),
      http: familyOf(this) !== 'net',
      v6only: false,
      mode: 0,
    }
    if (place.port < 0 || place.address === null || isIP(place.address) !== 0) known(call, request)
    // As Node does; who is not found is an error in the children.
    else lookup(place.address, (error, address) => error ?? known(call, { ...request, address }))
    return this
  } as typeof original
  const recorded: RecordedListen = {
    during: '',
    count: () => calls.size,
    servers: () => [...calls].map(({ server }) => server),
    restore() {
      Server.prototype.listen = original
    },
    replay(during) {
      const all = [...calls]
      calls.clear()
      for (const { server, handle } of all) if (server._handle === handle) server._handle = null
      for (const call of all)
        if (during === undefined || call.during === during)
          call.context.runInAsyncScope(() => Reflect.apply(call.server.listen, call.server, call.args))
    },
  }
  return recorded
}

function standIn(closed: () => void): Handle {
  return {
    ...NO_HANDLE,
    close(done) {
      closed()
      if (done !== undefined) process.nextTick(done)
    },
  }
}

/** What `server.address()` answers from now on; of several a TCP address, as in the children. */
function show({ server, handle }: Call, address: ListenerAddress): void {
  if (address.kind === 'unix') server._pipeName = address.path
  else if (handle.getsockname === undefined) {
    const { host, port } = address
    const name = { address: host, family: isIP(host) === 6 ? 'IPv6' : 'IPv4', port }
    handle.getsockname = (out) => Object.assign(out, name) && 0
  }
}

/** The port is 0 where each child has another. */
const addressesOf = ({ address, port }: ListenRequest): readonly ListenerAddress[] =>
  port < 0 ? [{ kind: 'unix', path: address! }] : [{ kind: 'tcp', host: address ?? everywhere(), port }]

/**
 * What this call asks for: a path where the port is negative, else a host or all interfaces. Null: what the app has opened
 * itself, or what Node refuses.
 */
function placeOf(args: readonly unknown[]): Pick<ListenRequest, 'address' | 'port'> | null {
  const [first, second] = args
  const named = typeof first === 'object' && first !== null
  const { port, host, path, fd } = (named ? first : textual(first, second)) as Record<string, unknown>
  if (typeof fd === 'number' || '_handle' in Object(first)) return null
  if (port === undefined && typeof path === 'string') return { address: path, port: -1 }
  const isAny = port === null || (port === undefined && (!named || 'port' in first))
  const number = isAny ? 0 : typeof port === 'string' && port.trim() !== '' ? Number(port) : port
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) return null
  return { address: host === undefined || host === null || host === '' ? null : String(host), port: number }
}

/** A text that is no number is a path. */
const textual = (first: unknown, second: unknown): object =>
  typeof first === 'string' && !(Number(first) >= 0)
    ? { path: first }
    : { port: typeof first === 'function' ? undefined : first, ...(typeof second === 'string' && { host: second }) }

const everywhere = (): string => (existsSync('/proc/net/if_inet6') ? '::' : '0.0.0.0')
