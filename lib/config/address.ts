/** Addresses to listen on: `host:port`, `[v6]:port`, `:port`, `port`, `unix:PATH`, `fd://N`. Pure. */
import { isIP } from 'node:net'
import type { ListenerAddress } from '../kernel/kernel.ts'

/** Where to listen: an address to open, or a socket that was handed to us and listens already. */
export type BindAddress = ListenerAddress | { readonly kind: 'fd'; readonly fd: number }

/** What `parseAddress` understands, as an error message says it. */
export const ADDRESS_FORMS = '"host:port", "[v6]:port", ":port", a port, "unix:PATH" or "fd://N"'

/**
 * Reads an address; `null` when it is none. A port without a host means all IPv4 interfaces (`0.0.0.0`); port 0 lets
 * the kernel choose. A relative UNIX path stays relative. A descriptor is 3 or more: 0, 1 and 2 are the standard streams.
 */
export function parseAddress(text: string): BindAddress | null {
  if (text.startsWith('unix:')) return parseUnix(text.slice('unix:'.length))
  const descriptor = /^fd:\/\/(\d{1,7})$/.exec(text)
  if (descriptor !== null) return Number(descriptor[1]) >= 3 ? { kind: 'fd', fd: Number(descriptor[1]) } : null
  return parseTcp(text)
}

/** The text that `parseAddress` reads as the same address. */
export function formatAddress(address: BindAddress): string {
  switch (address.kind) {
    case 'fd':
      return `fd://${address.fd}`
    case 'unix':
      return `unix:${address.path}`
    case 'tcp':
      return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
  }
}

function parseUnix(rest: string): BindAddress | null {
  const path = rest.startsWith('//') ? rest.slice(2) : rest
  return path === '' || path.includes('\0') ? null : { kind: 'unix', path }
}

function parseTcp(text: string): BindAddress | null {
  const match = /^(?:(?:\[([^\]]*)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text)
  if (match === null) return null
  const [, v6, name, digits] = match
  const port = Number(digits)
  if (port > 65535) return null
  if (v6 !== undefined) return isIP(v6) === 6 ? { kind: 'tcp', host: v6, port } : null
  const host = name || '0.0.0.0'
  return isHost(host) ? { kind: 'tcp', host, port } : null
}

/** An IPv4 address, or a name of letters, digits, `-`, `_` and dots (RFC 1123 §2.1) that is not a broken address. */
function isHost(host: string): boolean {
  if (isIP(host) === 4) return true
  return (
    /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(host) &&
    !/^[\d.]+$/.test(host)
  )
}
