/**
 * The one interception point below http, https, http2 and net: `net.Server.prototype._listen2`, which every `listen`
 * reaches when names have been looked up and a handle is about to be made (Node keeps the name for those who wrap it).
 * Whatever is above it (callbacks, `'listening'`, `signal`, `address()`, several servers, errors) stays Node's own.
 */
import http from 'node:http'
import type http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import type { ListenerAddress } from '../../kernel/kernel.ts'
import type { Fd } from '../../units.ts'
import { listenError } from './error.ts'
import { type Handle, joinHandles, NO_HANDLE, openHandle } from './handle.ts'
import { type ListenRequest, nameOf, place } from './place.ts'

export type Family = 'http' | 'http2' | 'net'

/** What the arbiter answers when it is asked for a socket. */
export type Asked =
  | { readonly ok: true; readonly fd: Fd; readonly address: ListenerAddress }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** Who is told what, and who is asked. */
export type ListenPolicy = {
  /** Opened from `bind`; empty without an explicit one. Copies of `fd` are made with `dup`. */
  readonly bind: readonly { readonly address: ListenerAddress; readonly fd: Fd }[]
  /** For sockets from `bind`, and for others where the app names no backlog. */
  readonly backlog: number
  dup(fd: Fd): Fd
  /** More listeners may come to a server later (`reusePort`). */
  readonly grows: boolean
  /** Puts off accepting on a shared socket as long as it must. */
  guard(handle: Handle): Handle
  /** Asks the arbiter; blocks, so that `address()` is right as soon as `listen` returns, as in Node. */
  ask(address: ListenerAddress, backlog: number): Asked
  /** The handle of what was asked for; the same one. */
  claim(handle: Handle, address: ListenerAddress): Handle
  /** The server is about to accept connections. */
  adopt(server: net.Server, family: Family): void
  /** A server accepts connections from now on. */
  accepting(): void
  /** The app's own address was replaced by `bind`. */
  redirected(name: string, to: readonly ListenerAddress[]): void
}

type Listen2 = (
  this: net.Server,
  address: string | null,
  port: number,
  type: number,
  backlog: number | undefined,
  fd: number | undefined,
  flags: number | undefined,
) => void
type Insides = { _listen2: Listen2 }
type ServerInsides = net.Server & { _handle: Handle | null; _pipeName?: string | undefined }

/** A server that has called `listen` and was not refused. */
export type Listened = {
  readonly family: Family
  readonly addresses: readonly ListenerAddress[]
  readonly shared: boolean
  /** It serves what `bind` names. */
  readonly bound: boolean
  /** The app may only be trying whether the port is free. */
  isTrial: boolean
  /** In another life, with the policy of then: listens as it did. Null: on what the app had opened itself. */
  readonly again: (() => void) | null
}

const UV_TCP_IPV6ONLY = 1

/** Intercepts every `listen` from now on. Returns what listens, servers that were closed included. */
export const interceptListen = (policy: ListenPolicy): ReadonlyMap<net.Server, Listened> => {
  const listened = new Map<net.Server, Listened>()
  const unshared = new WeakSet<net.Server>()
  const insides = net.Server.prototype as unknown as Insides
  const { listen } = net.Server.prototype
  const listen2 = insides._listen2
  let bindName: string | null = null

  const ours = function (this: net.Server, ...args: unknown[]) {
    // `exclusive` and `reusePort` are lost on the way to `_listen2`.
    if (wantsItsOwn(args[0])) unshared.add(this)
    else unshared.delete(this)
    return Reflect.apply(listen, this, args)
  } as typeof listen
  net.Server.prototype.listen = ours

  const ours2: Listen2 = function (address, port, type, backlog, fd, flags) {
    const server = this as ServerInsides
    if (server._handle === NO_HANDLE) server._handle = null
    const ownHandle = server._handle != null || typeof fd === 'number'
    const family = familyOf(server)
    const request: ListenRequest = {
      address,
      port,
      own: ownHandle || unshared.has(server),
      http: family !== 'net',
      v6only: ((flags ?? 0) & UV_TCP_IPV6ONLY) !== 0,
      mode: port !== null && port < 0 ? 0o777 & ~process.umask() : 0,
    }
    const placement = place(request, { explicit: policy.bind.length > 0, name: bindName })
    const go = (addresses: readonly ListenerAddress[], shared: boolean, queue = backlog) => {
      policy.adopt(server, family)
      Reflect.apply(listen2, server, [address, port, type, queue, fd, flags])
      if (!server.listening) return
      const again = () => {
        server._handle = null
        Reflect.apply(insides._listen2, server, [address, port, type, backlog, fd, flags])
      }
      const bound = placement.kind === 'bound'
      const isTrial = family === 'net'
      const entry = { family, addresses, shared, bound, isTrial, again: ownHandle ? null : again }
      listened.set(server, entry)
      if (!isTrial) return policy.accepting()
      // Whoever tries a port closes it on hearing that it could be had.
      setImmediate(() => {
        entry.isTrial = false
        policy.accepting()
      })
    }
    if (placement.kind === 'private') return go(privateAddress(request), false)
    if (placement.kind === 'bound') {
      const addresses = policy.bind.map((bound) => bound.address)
      if (bindName === null) policy.redirected(nameOf(request), addresses)
      bindName = nameOf(request)
      take(
        server,
        policy.bind.map((bound) => policy.guard(openHandle(policy.dup(bound.fd)))),
        addresses,
        policy.grows,
      )
      return go(addresses, true, policy.backlog)
    }
    const queue = backlog || policy.backlog
    const asked = askInTurn(policy, placement.choices, queue)
    if (!asked.ok) {
      const error = listenError(asked, address, port, { from: ours, within: ours2 })
      process.nextTick(() => server.emit('error', error))
      return
    }
    const handle = policy.claim(policy.guard(openHandle(asked.fd)), asked.address)
    take(server, [handle], [asked.address], policy.grows)
    go([asked.address], true, queue)
  }
  insides._listen2 = ours2
  return listened
}

/** Whether these options of `listen` ask for a socket that nobody shares. */
export const wantsItsOwn = (options: unknown): boolean => {
  if (typeof options !== 'object' || options === null) return false
  const { exclusive, reusePort } = options as { exclusive?: unknown; reusePort?: unknown }
  return Boolean(exclusive) || Boolean(reusePort)
}

/** http2 is not loaded for the sake of its classes: only its servers can `updateSettings`. */
export const familyOf = (server: net.Server): Family => {
  if (server instanceof http.Server || server instanceof https.Server) return 'http'
  return typeof (server as Partial<http2.Http2Server>).updateSettings === 'function' ? 'http2' : 'net'
}

const privateAddress = ({ address, port }: ListenRequest): readonly ListenerAddress[] => {
  if (port < 0) return address === null ? [] : [{ kind: 'unix', path: address }]
  return [{ kind: 'tcp', host: address ?? '::', port }]
}

const askInTurn = (policy: ListenPolicy, choices: readonly ListenerAddress[], backlog: number): Asked => {
  let asked: Asked = { ok: false, code: 'EINVAL', message: 'no address' }
  for (const choice of choices) {
    asked = policy.ask(choice, backlog)
    if (asked.ok) break
  }
  return asked
}

/** Puts handles where Node looks for one before it makes its own, and the name that `address()` gives of a UNIX socket. */
const take = (
  server: ServerInsides,
  handles: readonly Handle[],
  addresses: readonly ListenerAddress[],
  grows: boolean,
): void => {
  server._handle = handles.length === 1 && !grows ? handles[0]! : joinHandles(handles)
  const path = addresses.find((each) => each.kind === 'unix')
  if (path?.kind === 'unix') server._pipeName = path.path
}
