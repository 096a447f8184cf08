/**
 * How many connections wait to be accepted on listening TCP sockets: the kernel shows it as `rx_queue` of a socket in
 * state LISTEN (proc_pid_net(5), Linux 2.6.18 and later).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Fd } from '../units.ts'

/** Listening sockets come first in these tables; what is behind them may be a hundred thousand connections. */
const LOOK_AT = 64 * 1024
const LISTEN = '0A'

/** By descriptor; one that is no listening TCP socket is left out. */
export function acceptQueues(listeners: readonly Fd[], proc = '/proc'): ReadonlyMap<Fd, number> {
  const byInode = new Map(listeners.map((listener) => [fstatSync(listener).ino, listener]))
  const queues = new Map<Fd, number>()
  for (const table of ['tcp', 'tcp6']) {
    for (const { inode, queued } of parseQueues(beginning(`${proc}/self/net/${table}`))) {
      const listener = byInode.get(inode)
      if (listener !== undefined) queues.set(listener, queued)
    }
  }
  return queues
}

/** Reads the lines of /proc/net/tcp; a last line that was cut off is left out. */
export function parseQueues(text: string): { readonly inode: number; readonly queued: number }[] {
  return text
    .split('\n')
    .slice(1, -1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map((fields) => ({ inode: Number(fields[9]), queued: Number.parseInt(fields[4]!.split(':')[1]!, 16) }))
}

function beginning(path: string): string {
  try {
    const file = openSync(path, 'r')
    try {
      const buffer = Buffer.alloc(LOOK_AT)
      let length = 0
      for (let read = -1; read !== 0 && length < LOOK_AT; length += read) {
        read = readSync(file, buffer, length, LOOK_AT - length, null)
      }
      return buffer.toString('latin1', 0, length)
    } finally {
      closeSync(file)
    }
  } catch {
    return '' // no /proc, or a kernel without IPv6
  }
}
