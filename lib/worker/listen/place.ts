/**
 * Where a server of the app listens: on a socket of its own, on what `bind` names, or on one that all workers share.
 * Pure.
 */
import type { ListenerAddress } from '../../kernel/kernel.ts'

/** One call of `listen`, after names were looked up: what Node is about to open. */
export type ListenRequest = {
  /** An IP address, a path where `port` is negative, or null for all interfaces. */
  readonly address: string | null
  readonly port: number
  /** The app brought its own descriptor or handle, or asked for a socket that nobody shares. */
  readonly own: boolean
  /** The server speaks HTTP; others are never led to `bind`, because port probes are plain servers. */
  readonly http: boolean
  readonly v6only: boolean
  /** Permission bits for the file of a UNIX socket. */
  readonly mode: number
}

export type Placement =
  | { readonly kind: 'private' }
  | { readonly kind: 'bound' }
  /** To be asked for in this order until one can be opened, as Node does it for "all interfaces". */
  | { readonly kind: 'shared'; readonly choices: readonly ListenerAddress[] }

/**
 * `bind`: whether there is an explicit one, and what the app calls the address that was led to it (null before). The
 * same name is led there again, so that an app may close its server and listen again.
 */
export const place = (
  request: ListenRequest,
  bind: { readonly explicit: boolean; readonly name: string | null },
): Placement => {
  if (request.own || request.port === 0) return { kind: 'private' }
  if (bind.explicit && request.http && (bind.name === null || bind.name === nameOf(request))) return { kind: 'bound' }
  return { kind: 'shared', choices: choices(request) }
}

/** The address as the app would write it, for comparing and for the log. */
export const nameOf = ({ address, port }: ListenRequest): string => {
  if (port < 0) return `unix:${address}`
  if (address === null) return `:${port}`
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** "All interfaces" means `::` in Node, and 0.0.0.0 where `::` fails for whatever reason. */
const choices = ({ address, port, v6only, mode }: ListenRequest): readonly ListenerAddress[] => {
  if (port < 0) return [{ kind: 'unix', path: address ?? '', mode }]
  if (address !== null) return [{ kind: 'tcp', host: address, port, ...(address.includes(':') ? { v6only } : {}) }]
  return [
    { kind: 'tcp', host: '::', port, v6only },
    { kind: 'tcp', host: '0.0.0.0', port },
  ]
}
