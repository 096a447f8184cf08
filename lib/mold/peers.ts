/** Whom sockets are connected to: the number that the kernel shows of one tells nobody anything. */
import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'

/** `socket:[4711]` with the other end behind it, wherever the text has one that is known: `socket:[4711] to 10.0.0.7:5432`. */
export function withPeers(text: string): string {
  if (!SOCKET.test(text)) return text
  const peers = new Map([...peersIn('tcp'), ...peersIn('tcp6')])
  return text.replaceAll(new RegExp(SOCKET, 'g'), (socket, inode: string) => {
    const peer = peers.get(inode)
    return peer === undefined ? socket : `${socket} to ${peer}`
  })
}

const SOCKET = /socket:\[(\d+)\]/

/** By inode; none where this machine has no such protocol. */
function peersIn(table: 'tcp' | 'tcp6'): readonly (readonly [inode: string, peer: string])[] {
  let rows: string
  try {
    rows = readFileSync(`/proc/self/net/${table}`, 'latin1')
  } catch {
    return []
  }
  return rows
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/))
    .map((columns) => [columns[9]!, endOf(columns[2]!)])
}

/** `0700000A:1538`: words of 4 bytes in the machine's order, and the port. */
function endOf(text: string): string {
  const [address, port] = text.split(':') as [string, string]
  const bytes = Buffer.from(address, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  const host =
    bytes.length === 4
      ? bytes.join('.')
      : `[${Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16)).join(':')}]`
  return `${host}:${Number.parseInt(port, 16)}`
}
