/**
 * `listen()` while the app is loaded into the mold: nothing is opened there; each child carries it out. Until then the
 * server looks as if it listened: Node's own `address`, `listening`, `close` and the like find a handle in it that stands
 * for the one that is to come.
 */
import { existsSync } from 'node:fs'
import { isIP, Server } from 'node:net'
import { type Handle, NO_HANDLE } from '../worker/listen/handle.ts'

type Call = {
  readonly server: ServerInsides
  readonly args: readonly unknown[]
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

/** Before the app is loaded. A server that was closed again before it is replayed stays closed. */
export function recordListen(): RecordedListen {
  const calls = new Set<Call>()
  const original = Server.prototype.listen
  Server.prototype.listen = function (this: ServerInsides, ...args: unknown[]) {
    // Node refuses it: this one listens already, or has been given a handle.
    if (this._handle != null) return Reflect.apply(original, this, args)
    const place = placeOf(args)
    const handle = standIn(place, () => void calls.delete(call))
    const call: Call = { server: this, args, during: recorded.during, handle }
    calls.add(call)
    this._handle = handle
    if ('path' in place) this._pipeName = place.path
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
        if (during === undefined || call.during === during) Reflect.apply(call.server.listen, call.server, call.args)
    },
  }
  return recorded
}

type Address = { readonly address: string; readonly family: 'IPv4' | 'IPv6'; readonly port: number }
type Place = Address | { readonly path: string } | Record<never, never>

function standIn(place: Place, closed: () => void): Handle {
  return {
    ...NO_HANDLE,
    close(done) {
      closed()
      if (done !== undefined) process.nextTick(done)
    },
    ...('port' in place && { getsockname: (out: object) => Object.assign(out, place) && 0 }),
  }
}

/** Where this call would listen, as far as its arguments tell: empty for port 0, a name, or what the app opened itself. */
function placeOf([first, second]: readonly unknown[]): Place {
  const named = typeof first === 'object' && first !== null
  const { port, host, path, fd } = (named ? first : textual(first, second)) as Record<string, unknown>
  const number = typeof port === 'string' && port.trim() !== '' ? Number(port) : port
  if (typeof fd === 'number' || '_handle' in Object(first)) return {}
  if (typeof number !== 'number') return port === undefined && typeof path === 'string' ? { path } : {}
  if (!Number.isInteger(number) || number <= 0) return {}
  if (host === undefined || host === null || host === '') return { ...everywhere(), port: number }
  const version = isIP(String(host))
  return version === 0 ? {} : { address: String(host), family: version === 6 ? 'IPv6' : 'IPv4', port: number }
}

/** A text that is no number is a path. */
const textual = (first: unknown, second: unknown): object =>
  typeof first === 'string' && !(Number(first) >= 0)
    ? { path: first }
    : { port: first, ...(typeof second === 'string' && { host: second }) }

const everywhere = (): Pick<Address, 'address' | 'family'> =>
  existsSync('/proc/net/if_inet6') ? { address: '::', family: 'IPv6' } : { address: '0.0.0.0', family: 'IPv4' }
