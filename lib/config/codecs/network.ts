/** Addresses to listen on, peers to trust, collectors to send to. Pure. */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { ADDRESS_FORMS, type BindAddress, formatAddress, parseAddress } from '../address.ts'
import { andThen, bad, type Codec, good } from '../codec.ts'
import { list } from './collections.ts'
import { LONGEST_SOCKET_PATH } from './paths.ts'

const allowedPath = `${ADDRESS_FORMS}; a path has at most ${LONGEST_SOCKET_PATH} bytes`

/** One address; a relative path is resolved. */
export const address: Codec<BindAddress, string | number> = {
  allowed: ADDRESS_FORMS,
  placeholder: 'ADDRESS',
  type: 'string | number',
  parse: (text) => text,
  check: (value, { base }) => {
    const found = typeof value === 'string' || typeof value === 'number' ? parseAddress(String(value)) : null
    if (found === null) return bad(value, ADDRESS_FORMS)
    if (found.kind !== 'unix') return good(found)
    const path = resolve(base, found.path)
    return Buffer.byteLength(path) <= LONGEST_SOCKET_PATH ? good({ ...found, path }) : bad(value, allowedPath)
  },
  format: formatAddress,
}

const several = list(address, { separator: /[,\s]+/ })

/** Addresses to serve on, each once. `[::]` leaves the port's IPv4 side alone where IPv4 is bound as well. */
export const addresses: typeof several = {
  ...several,
  check: (value, context) =>
    andThen(several.check(value, context), (found) => {
      const texts = found.map(formatAddress)
      const twice = texts.find(
        (text, index) => text !== '0.0.0.0:0' && !text.endsWith(':0') && texts.indexOf(text) < index,
      )
      if (twice !== undefined) return bad(value, `each address once, and ${twice} is there twice`)
      return good(found.map((one) => (needsV6Only(one, found) ? { ...one, v6only: true } : one)))
    }),
}

function needsV6Only(one: BindAddress, all: readonly BindAddress[]): boolean {
  if (one.kind !== 'tcp' || one.host !== '::' || one.port === 0) return false
  return all.some((other) => other.kind === 'tcp' && isIP(other.host) !== 6 && other.port === one.port)
}

const PEERS = 'an IP address, a network such as "10.0.0.0/8", or "*" for all'

const peer: Codec<string, string> = {
  allowed: PEERS,
  placeholder: 'IPS',
  type: 'string',
  parse: (text) => text.trim(),
  check: (value) => (typeof value === 'string' && isPeer(value) ? good(value) : bad(value, PEERS)),
  format: (value) => value,
}

function isPeer(value: string): boolean {
  if (value === '*') return true
  const [ip = '', prefix, ...rest] = value.split('/')
  const version = isIP(ip)
  if (version === 0 || ip.includes('%') || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}

/** Peers whose word is taken, by address. A flag's text may hold several, with commas. */
export const peers = list(peer, { separator: /\s*,\s*/ })

/** Where datagrams or log records go. */
export type Collector =
  | { readonly kind: 'udp' | 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

const COLLECTOR = '"udp://host:port", "tcp://host:port" or "unix://PATH"'

/** A syslog or statsd server. */
export const collector: Codec<Collector, string> = {
  allowed: COLLECTOR,
  placeholder: 'ADDRESS',
  type: 'string',
  parse: (text) => text,
  check: (value, { base }) => {
    const match = typeof value === 'string' ? /^(?:(udp|tcp):\/\/)?(.*)$/.exec(value) : null
    const found = match === null ? null : parseAddress(match[2] ?? '')
    if (match === null || found === null || found.kind === 'fd') return bad(value, COLLECTOR)
    if (found.kind === 'unix')
      return match[1] ? bad(value, COLLECTOR) : good({ kind: 'unix', path: resolve(base, found.path) })
    return good({ kind: match[1] === 'tcp' ? 'tcp' : 'udp', host: found.host, port: found.port })
  },
  format: (value) =>
    value.kind === 'unix'
      ? `unix://${value.path}`
      : `${value.kind}://${formatAddress({ kind: 'tcp', host: value.host, port: value.port })}`,
}
