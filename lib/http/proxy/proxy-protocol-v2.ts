/** The binary PROXY header: signature, version and command, family and protocol, length, addresses, TLVs. */

import { HTTP_ERRORS } from '../errors.ts'
import { formatAddress } from './address.ts'
import { crc32c } from './crc32c.ts'
import type { Endpoint, ProxyResult } from './proxy-protocol.ts'

export const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** The fixed part: the signature and four bytes. */
const FIXED = 16
const LOCAL = 0x20
const PROXY = 0x21
/** Bytes of one address by family: AF_INET, AF_INET6. AF_UNSPEC and AF_UNIX name no IP address. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 4, 2: 16 }
/** Bytes of the whole address block by family: AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX. */
const BLOCK_BYTES = [0, 12, 36, 216] as const
/** UNSPEC, STREAM, DGRAM. */
const PROTOCOLS = 3
/** A TLV: one byte of type, two of length, the value. PP2_TYPE_CRC32C has four bytes. */
const TLV_HEAD = 3
const TLV_CRC32C = 3

/** Reads the header whose signature is known to stand at `from`. */
export function parseProxyV2(buffer: Buffer, from: number, to: number): ProxyResult {
  const wrong = (at: number): ProxyResult => ({ kind: 'error', error: HTTP_ERRORS.PROXY_HEADER_INVALID, at })
  const commandAt = from + V2_SIGNATURE.length
  if (to <= commandAt) return { kind: 'partial' }
  const command = buffer[commandAt]!
  if (command !== LOCAL && command !== PROXY) return wrong(commandAt)
  if (to < from + FIXED) return { kind: 'partial' }
  const family = buffer[commandAt + 1]! >> 4
  const length = buffer.readUInt16BE(commandAt + 2)
  const block = BLOCK_BYTES[family]
  const known = block !== undefined && (buffer[commandAt + 1]! & 15) < PROTOCOLS
  if (command === PROXY && (!known || length < block)) return wrong(commandAt + 1)
  const end = from + FIXED + length
  if (to < end) return { kind: 'partial' }
  // What LOCAL and AF_UNSPEC bring is to be skipped: nothing says where TLVs would begin in it.
  if (command === PROXY && block! > 0) {
    const broken = checkTlvs(buffer, from, from + FIXED + block!, end)
    if (broken !== null) return wrong(broken)
  }
  const size = command === PROXY ? ADDRESS_BYTES[family] : undefined
  if (size === undefined) return { kind: 'proxied', source: null, destination: null, end }
  return { kind: 'proxied', ...endpoints(buffer, from + FIXED, size), end }
}

/**
 * Where the TLVs between `at` and `end` are wrong, or null: each within the header, and a checksum, where there is one,
 * that of the header from `from` on with zeros in its own place (section 2.2.3).
 */
function checkTlvs(buffer: Buffer, from: number, at: number, end: number): number | null {
  let next: number
  for (let tlv = at; tlv < end; tlv = next) {
    if (end - tlv < TLV_HEAD) return tlv
    const length = buffer.readUInt16BE(tlv + 1)
    const value = tlv + TLV_HEAD
    next = value + length
    if (next > end) return tlv
    if (buffer[tlv] !== TLV_CRC32C) continue
    if (length !== 4 || buffer.readUInt32BE(value) !== crc32c(buffer, from, end, value)) return tlv
  }
  return null
}

function endpoints(buffer: Buffer, at: number, size: number): { source: Endpoint; destination: Endpoint } {
  const address = (offset: number) => formatAddress(buffer.subarray(offset, offset + size))
  return {
    source: { address: address(at), port: buffer.readUInt16BE(at + 2 * size) },
    destination: { address: address(at + size), port: buffer.readUInt16BE(at + 2 * size + 2) },
  }
}
