/**
 * Whom to believe about the client (`forwardedAllowIps`, `proxyAllowIps`), and what scheme such a peer names
 * (`secureSchemeHeaders`). Nothing here changes a header.
 */

import { HTTP_ERRORS, type HttpError } from '../errors.ts'
import { isMapped, parseAddress } from './address.ts'

/** Says whether a peer is in the list; null is the peer of a UNIX socket, which always is. */
export type Trust = (address: string | null) => boolean

type Network = { readonly bytes: readonly number[]; readonly bits: number }

/**
 * A list of addresses and networks (`10.0.0.0/8`, `fd00::/8`, `*` for everyone) made into a question. An IPv4 peer of
 * a dual-stack socket (`::ffff:192.0.2.1`) is looked for as IPv4. Throws an Error that names an entry that is neither.
 */
export function trust(entries: readonly string[]): Trust {
  if (entries.includes('*')) return () => true
  const networks = entries.map(parseNetwork)
  const known = new Map<string, boolean>()
  return (address) => {
    if (address === null) return true
    let trusted = known.get(address)
    if (trusted === undefined) {
      trusted = isListed(address, networks)
      if (known.size >= KNOWN_LIMIT) known.clear()
      known.set(address, trusted)
    }
    return trusted
  }
}

/** Answers that are remembered. */
const KNOWN_LIMIT = 1024

function parseNetwork(entry: string): Network {
  const [address, bits, ...rest] = entry.split('/')
  const bytes = parseAddress(address!)
  const most = bytes === null ? 0 : 8 * bytes.length
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
  if (bytes === null || rest.length > 0 || length < 0 || length > most) {
    throw new Error(`${JSON.stringify(entry)} is no IP address, no network such as 10.0.0.0/8 or fd00::/8, and not "*"`)
  }
  return unmapped({ bytes, bits: length })
}

/** A mapped address or network as the IPv4 one. */
function unmapped(network: Network): Network {
  const { bytes, bits } = network
  return bits >= 96 && isMapped(bytes) ? { bytes: bytes.slice(12), bits: bits - 96 } : network
}

function isListed(address: string, networks: readonly Network[]): boolean {
  const parsed = parseAddress(address.split('%')[0]!)
  if (parsed === null) return false
  const { bytes } = unmapped({ bytes: parsed, bits: 8 * parsed.length })
  return networks.some((network) => network.bytes.length === bytes.length && sameBits(bytes, network))
}

function sameBits(bytes: readonly number[], network: Network): boolean {
  const whole = network.bits >> 3
  for (let index = 0; index < whole; index++) if (bytes[index] !== network.bytes[index]) return false
  const mask = (0xff00 >> (network.bits & 7)) & 0xff
  return mask === 0 || ((bytes[whole]! ^ network.bytes[whole]!) & mask) === 0
}

/** gunicorn's default: which value of which field says https. */
export const SECURE_SCHEME_HEADERS: Readonly<Record<string, string>> = {
  'X-FORWARDED-PROTOCOL': 'ssl',
  'X-FORWARDED-PROTO': 'https',
  'X-FORWARDED-SSL': 'on',
}

/** Reads the scheme out of raw headers: null where none of the fields is there. */
export type SchemeReader = (rawHeaders: readonly string[]) => 'http' | 'https' | null | HttpError

/** Ask it only about trusted peers. A field with any other value than the one given says http, as under gunicorn. */
export function schemeReader(secureSchemeHeaders: Readonly<Record<string, string>>): SchemeReader {
  const secure = new Map(Object.entries(secureSchemeHeaders).map(([name, value]) => [name.toLowerCase(), value]))
  return (rawHeaders) => {
    let scheme: 'http' | 'https' | null = null
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const value = secure.get(rawHeaders[index]!.toLowerCase())
      if (value === undefined) continue
      const named = rawHeaders[index + 1]!.toLowerCase() === value.toLowerCase() ? 'https' : 'http'
      if (scheme !== null && scheme !== named) return HTTP_ERRORS.SCHEME_HEADERS_CONFLICT
      scheme = named
    }
    return scheme
  }
}
