/**
 * The PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt), as it stands
 * before the first byte of a connection. Whether the peer may send it is the caller's question.
 */

import { HTTP_ERRORS, type HttpError } from '../errors.ts'
import { type Bytes, CR, LF } from '../parser/bytes.ts'
import { parseIPv4, parseIPv6 } from './address.ts'
import { parseProxyV2, V2_SIGNATURE } from './proxy-protocol-v2.ts'

/** `auto` takes either version or none; `v1` and `v2` demand theirs. */
export type ProxyMode = 'v1' | 'v2' | 'auto'

export type Endpoint = { readonly address: string; readonly port: number }

export type ProxyResult =
  /** `source` is the client; null where the proxy speaks for itself or cannot say: the peer's own address holds. */
  | {
      readonly kind: 'proxied'
      readonly source: Endpoint | null
      readonly destination: Endpoint | null
      readonly end: number
    }
  /** No header, and none is demanded. */
  | { readonly kind: 'plain' }
  | { readonly kind: 'partial' }
  | { readonly kind: 'error'; readonly error: HttpError; readonly at: number }

const V1_PREFIX = Buffer.from('PROXY ')
/** With its CRLF. */
const V1_LONGEST = 107

export function parseProxy(buffer: Buffer, from: number, to: number, mode: ProxyMode): ProxyResult {
  const v1 = mode === 'v2' ? 'no' : begins(buffer, from, to, V1_PREFIX)
  const v2 = mode === 'v1' ? 'no' : begins(buffer, from, to, V2_SIGNATURE)
  if (v1 === 'yes') return parseV1(buffer as Bytes, from, to)
  if (v2 === 'yes') return parseProxyV2(buffer, from, to)
  if (v1 === 'perhaps' || v2 === 'perhaps') return { kind: 'partial' }
  return mode === 'auto' ? { kind: 'plain' } : { kind: 'error', error: HTTP_ERRORS.PROXY_HEADER_MISSING, at: from }
}

function begins(buffer: Buffer, from: number, to: number, prefix: Uint8Array): 'yes' | 'no' | 'perhaps' {
  const length = Math.min(prefix.length, to - from)
  for (let index = 0; index < length; index++) if (buffer[from + index] !== prefix[index]) return 'no'
  return length === prefix.length ? 'yes' : 'perhaps'
}

function parseV1(buffer: Bytes, from: number, to: number): ProxyResult {
  const stop = Math.min(to, from + V1_LONGEST)
  let at = from
  while (at < stop && buffer[at]! > 31 && buffer[at]! < 127) at++
  if (at === stop && stop === to && to - from < V1_LONGEST) return { kind: 'partial' }
  const wrong: ProxyResult = { kind: 'error', error: HTTP_ERRORS.PROXY_LINE_INVALID, at }
  if (at + 2 > from + V1_LONGEST || buffer[at] !== CR) return wrong
  if (at + 1 === to) return { kind: 'partial' }
  if (buffer[at + 1] !== LF) return wrong
  return v1Line(buffer.latin1Slice(from + V1_PREFIX.length, at), at + 2) ?? wrong
}

function v1Line(line: string, end: number): ProxyResult | null {
  const [protocol, ...rest] = line.split(' ')
  if (protocol === 'UNKNOWN') return { kind: 'proxied', source: null, destination: null, end }
  const parse = protocol === 'TCP4' ? parseIPv4 : protocol === 'TCP6' ? parseIPv6 : null
  if (parse === null || rest.length !== 4) return null
  const [source, destination, sourcePort, destinationPort] = rest as [string, string, string, string]
  if (parse(source) === null || parse(destination) === null) return null
  if (!isPort(sourcePort) || !isPort(destinationPort)) return null
  return {
    kind: 'proxied',
    source: { address: source, port: Number(sourcePort) },
    destination: { address: destination, port: Number(destinationPort) },
    end,
  }
}

/** 0 to 65535 without leading zeros. */
const isPort = (text: string): boolean => /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535
