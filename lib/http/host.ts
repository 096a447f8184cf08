/** uri-host [ ":" port ] (RFC 9110 §7.2, RFC 3986 §3.2.2): what Host and an authority consist of. */
import { parseIPv6 } from './address.ts'
import { type Bytes, CLASS, COLON, DIGIT, HEX, PERCENT, REG_NAME } from './bytes.ts'

const OPEN = 91
const CLOSE = 93

/** Whether `buffer` from `start` to `end` is a host that is not empty, with a port that may be empty or missing. */
export function isHost(buffer: Bytes, start: number, end: number): boolean {
  const colon = hostEnd(buffer, start, end)
  if (colon <= start) return false
  if (colon === end) return true
  return buffer[colon] === COLON && allDigits(buffer, colon + 1, end)
}

/** The same with a port from 1 to 65535: the target of a CONNECT (RFC 9110 §9.3.6). */
export function isHostWithPort(buffer: Bytes, start: number, end: number): boolean {
  const colon = hostEnd(buffer, start, end)
  if (colon <= start || buffer[colon] !== COLON || colon + 1 >= end || !allDigits(buffer, colon + 1, end)) return false
  const port = Number(buffer.latin1Slice(colon + 1, end))
  return port >= 1 && port <= 65535
}

/** Where the uri-host ends, -1 where it is malformed. */
function hostEnd(buffer: Bytes, start: number, end: number): number {
  if (buffer[start] === OPEN) return literalEnd(buffer, start, end)
  const classes = CLASS
  let at = start
  while (at < end) {
    if ((classes[buffer[at]!]! & REG_NAME) !== 0) at++
    else if (buffer[at] === PERCENT && at + 2 < end && hex(buffer[at + 1]!) && hex(buffer[at + 2]!)) at += 3
    else break
  }
  return at
}

const hex = (byte: number): boolean => (CLASS[byte]! & HEX) !== 0

/** IP-literal: an IPv6 address or an IPvFuture in brackets. */
function literalEnd(buffer: Bytes, start: number, end: number): number {
  const close = buffer.subarray(start, end).indexOf(CLOSE) + start
  if (close <= start) return -1
  const text = buffer.latin1Slice(start + 1, close)
  return parseIPv6(text) !== null || /^v[0-9a-f]+\.[-a-z0-9._~!$&'()*+,;=:]+$/i.test(text) ? close + 1 : -1
}

function allDigits(buffer: Bytes, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((CLASS[buffer[at]!]! & DIGIT) === 0) return false
  return true
}
