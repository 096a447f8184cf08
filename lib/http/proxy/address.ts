/** IP addresses as bytes: 4 or 16 of them. Node's own parsers live with its sockets; these take exactly the RFC forms. */

/** Dotted decimal without leading zeros (RFC 3986 §3.2.2 IPv4address); null for anything else. */
export function parseIPv4(text: string): readonly number[] | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return null
  const parts = text.split('.')
  if (parts.some((part) => part.length > 1 && part.startsWith('0'))) return null
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : null
}

/** RFC 4291 §2.2, with `::` and an embedded IPv4 address, without a zone; null for anything else. */
export function parseIPv6(text: string): readonly number[] | null {
  if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text)) return null
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = groups(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? groups(halves[1]!, true) : []
  if (head === null || tail === null) return null
  const missing = 16 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null
  return [...head, ...new Array<number>(missing).fill(0), ...tail]
}

/** The bytes of groups between colons; the last may be dotted decimal where `last` says that the address ends here. */
function groups(text: string, last: boolean): number[] | null {
  if (text === '') return []
  const bytes: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (last && index === parts.length - 1 && part.includes('.')) {
      const ipv4 = parseIPv4(part)
      if (ipv4 === null) return null
      bytes.push(...ipv4)
    } else {
      if (!/^[0-9A-Fa-f]{1,4}$/.test(part)) return null
      const group = Number.parseInt(part, 16)
      bytes.push(group >> 8, group & 255)
    }
  }
  return bytes
}

/** Either family. */
export function parseAddress(text: string): readonly number[] | null {
  return parseIPv4(text) ?? parseIPv6(text)
}

/** The text of 4 or 16 bytes as inet_ntop(3) and so Node write it: RFC 5952, with `::ffff:192.0.2.1` for mapped IPv4. */
export function formatAddress(bytes: ArrayLike<number>): string {
  const all = Array.from(bytes)
  if (all.length === 4) return all.join('.')
  if (isMapped(all)) return `::ffff:${all.slice(12).join('.')}`
  const parts: number[] = []
  for (let index = 0; index < 16; index += 2) parts.push((bytes[index]! << 8) | bytes[index + 1]!)
  const [from, length] = longestZeros(parts)
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':')
  return length < 2 ? hex(parts) : `${hex(parts.slice(0, from))}::${hex(parts.slice(from + length))}`
}

/** IPv4 as IPv6 (RFC 4291 §2.5.5.2). */
export function isMapped(bytes: readonly number[]): boolean {
  return bytes.length === 16 && bytes.every((byte, index) => index > 11 || byte === (index < 10 ? 0 : 0xff))
}

function longestZeros(parts: readonly number[]): [from: number, length: number] {
  let best: [number, number] = [0, 0]
  for (let from = 0; from < parts.length; from++) {
    let to = from
    while (parts[to] === 0) to++
    if (to - from > best[1]) best = [from, to - from]
  }
  return best
}
