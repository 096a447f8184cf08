/** CRC-32C, the Castagnoli polynomial (RFC 9260 appendix A), with which a PROXY header may be protected. */

/** Reflected. */
const POLYNOMIAL = 0x82f63b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** Of the bytes from `from` to `to`, an unsigned number; those from `zeroed` on, four of them, count as zeros. */
export function crc32c(buffer: Uint8Array, from: number, to: number, zeroed: number): number {
  let value = -1
  for (let at = from; at < to; at++) {
    const byte = at >= zeroed && at < zeroed + 4 ? 0 : buffer[at]!
    value = TABLE[(value ^ byte) & 255]! ^ (value >>> 8)
  }
  return ~value >>> 0
}
