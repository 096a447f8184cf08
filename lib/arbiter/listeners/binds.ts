/** Opens what `bind` names, or takes what the service manager has opened. */
import { promises as dns } from 'node:dns'
import { isIP } from 'node:net'
import { type BindAddress, formatAddress } from '../../config/address.ts'
import type { Config } from '../../config/settings.ts'
import type { KernelError, ListenerAddress } from '../../kernel/kernel.ts'
import { resolveIdentity } from '../../system/identity.ts'
import { passedListeners, passedSockets } from '../../system/listen-fds.ts'
import { SetupError } from '../../system/setup-error.ts'
import { type Fd, fd } from '../../units.ts'
import type { Listener, Listeners } from './listeners.ts'

export type Opened = {
  readonly listeners: readonly Listener[]
  /** What somebody should know, one line each. */
  readonly warnings: readonly string[]
}

/**
 * Sockets that were passed (LISTEN_FDS) take the place of `bind`, unless that says by `fd://N` which of them are meant.
 * Throws a `SetupError` where the variables lie or an address cannot be opened.
 */
export async function openListeners(config: Config, listeners: Listeners, env: NodeJS.ProcessEnv): Promise<Opened> {
  const passed = passedToUs(config, listeners, env)
  if (passed.length === 0) return { listeners: await openBinds(config, listeners), warnings: [] }
  const ignored = config.bind.map(formatAddress).join(', ')
  return {
    listeners: listeners.activate(passed),
    warnings: ignored === '' ? [] : [`bind: ${ignored} is not opened, because sockets were passed (LISTEN_FDS)`],
  }
}

/** By the service manager, or by way of the arbiter before this one. None where `bind` says itself which are meant. */
function passedToUs(config: Config, listeners: Listeners, env: NodeJS.ProcessEnv): readonly Fd[] {
  if (config.bind.length > 0 && config.bind.every(({ kind }) => kind === 'fd')) return []
  if (listeners.activated.length > 0) return listeners.activated
  const kernel = { listenerAddress: (one: Fd) => listeners.adopt(one).address }
  return passedListeners(env, process.pid, kernel).map((socket) => socket.fd)
}

/** The descriptors that were handed to us, as far as anybody says. */
export function inheritedSockets({ bind }: Config, env: NodeJS.ProcessEnv): readonly Fd[] {
  const named = bind.flatMap((address) => (address.kind === 'fd' ? [fd(address.fd)] : []))
  return [...named, ...passedSockets(env, process.pid).map((socket) => socket.fd)]
}

/** All of them, or a `SetupError` of one line for the first that cannot be opened. */
async function openBinds(config: Config, listeners: Listeners): Promise<readonly Listener[]> {
  const identity = resolveIdentity(config)
  const owner = identity === null ? {} : { uid: identity.uid, gid: identity.gid }
  const opened: Listener[] = []
  for (const address of config.bind) opened.push(...(await openBind(address, config, owner, listeners)))
  return opened
}

/** `owner`: of a socket's file. */
async function openBind(
  address: BindAddress,
  config: Config,
  owner: { readonly uid?: number; readonly gid?: number },
  listeners: Listeners,
): Promise<readonly Listener[]> {
  try {
    if (address.kind === 'fd') return [listeners.adopt(fd(address.fd))]
    const { backlog, reusePort, socketMode } = config
    const places = await numbers(address.kind === 'unix' ? { ...address, mode: socketMode, ...owner } : address)
    return places.map((place) => listeners.open(place, { backlog, reusePort }))
  } catch (error) {
    throw new SetupError(`bind: cannot listen on ${formatAddress(address)}: ${reason(error as KernelError, address)}`)
  }
}

/** A name may stand for several addresses (`localhost`: 127.0.0.1 and ::1); all are served. */
async function numbers(address: ListenerAddress): Promise<readonly ListenerAddress[]> {
  if (address.kind === 'unix' || isIP(address.host) !== 0) return [address]
  const found = await dns.lookup(address.host, { all: true })
  return found.map(({ address: host, family }) => ({ ...address, host, ...(family === 6 && { v6only: true }) }))
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no such host',
  ENOTSOCK: 'the descriptor is no socket',
  EBADF: 'there is no such descriptor',
  EMFILE: 'the descriptor table is full',
}

/** By what is to be opened: a place in a folder, or a port. */
const FORBIDDEN = {
  unix: 'no permission to write in its folder',
  tcp: 'no permission (ports below 1024 need root or CAP_NET_BIND_SERVICE)',
  fd: 'no permission',
} as const satisfies Record<BindAddress['kind'], string>

function reason({ code, message }: KernelError, { kind }: BindAddress): string {
  const words = code === 'EACCES' ? FORBIDDEN[kind] : REASONS[code]
  return words === undefined ? message : `${words} (${code})`
}
