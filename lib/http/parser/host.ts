/** uri-host [ ":" port ] (RFC 9110 §7.2, RFC 3986 §3.2.2): what Host and an authority consist of. */
import { parseIPv6 } from '../proxy/address.ts'
import { CLASS, COLON, DIGIT, HEX, PERCENT, REG_NAME } from './bytes.ts'

const OPEN = 91

/** Whether it is a host that is not empty, with a port that may be empty or missing. */
export function isHost(text: string): boolean {
  const colon = hostEnd(text)
  return colon > 0 && (colon === text.length || (text.charCodeAt(colon) === COLON && allDigits(text, colon + 1)))
}

/** The same with a port from 1 to 65535: the target of a CONNECT (RFC 9110 §9.3.6). */
export function isHostWithPort(text: string): boolean {
  const colon = hostEnd(text)
  if (colon <= 0 || text.charCodeAt(colon) !== COLON || !allDigits(text, colon + 1)) return false
  const port = Number(text.slice(colon + 1))
  return port >= 1 && port <= 65535
}

/** Where the uri-host ends, -1 where it is malformed. */
function hostEnd(text: string): number {
  if (text.charCodeAt(0) === OPEN) return literalEnd(text)
  let at = 0
  while (at < text.length) {
    const byte = text.charCodeAt(at)
    if (is(byte, REG_NAME)) at++
    else if (byte === PERCENT && is(text.charCodeAt(at + 1), HEX) && is(text.charCodeAt(at + 2), HEX)) at += 3
    else break
  }
  return at
}

/** NaN, behind the end, is nothing. */
const is = (byte: number, bit: number): boolean => ((CLASS[byte] ?? 0) & bit) !== 0

/** IP-literal: an IPv6 address or an IPvFuture in brackets. */
function literalEnd(text: string): number {
  const close = text.indexOf(']')
  const literal = text.slice(1, Math.max(1, close))
  const valid = parseIPv6(literal) !== null || /^v[0-9a-f]+\.[-a-z0-9._~!$&'()*+,;=:]+$/i.test(literal)
  return valid ? close + 1 : -1
}

function allDigits(text: string, from: number): boolean {
  for (let at = from; at < text.length; at++) if (!is(text.charCodeAt(at), DIGIT)) return false
  return true
}
