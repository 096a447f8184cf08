/** The end of PostgreSQL's protocol that a server has, as far as a client that sends simple queries needs it. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'

export type Postgres = {
  readonly port: number
  /** The numbers of the connections whose client has taken its leave. */
  readonly left: readonly number[]
  close(): void
}

/** Trusts everybody. Each query is answered with one row: the number of the connection that it came by. */
export async function postgres(): Promise<Postgres> {
  const sockets = new Set<Socket>()
  const left: number[] = []
  let connections = 0
  const server = createServer((socket) => {
    const number = ++connections
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => undefined))
    let pending = Buffer.alloc(0)
    let isStarted = false
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        // The first message alone has no type.
        const head = isStarted ? 1 : 0
        if (pending.length < head + 4 || pending.length < head + pending.readUInt32BE(head)) return
        const type = isStarted ? String.fromCharCode(pending[0]!) : ''
        pending = pending.subarray(head + pending.readUInt32BE(head))
        isStarted = true
        if (type === '') socket.write(Buffer.concat([message('R', int(0, 4)), READY]))
        else if (type === 'Q') socket.write(answer(String(number)))
        else if (type === 'X') left.push(number)
        else throw new Error(`a message of the type ${type}`)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, left, close }
}

function int(value: number, bytes: 2 | 4): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeIntBE(value, 0, bytes)
  return buffer
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int(4 + body.length, 4), body])
}

const READY = message('Z', Buffer.from('I'))
const TEXT = 25

/** One row with one column of text. */
const answer = (value: string): Buffer =>
  Buffer.concat([
    message(
      'T',
      int(1, 2),
      Buffer.from('number\0'),
      int(0, 4),
      int(0, 2),
      int(TEXT, 4),
      int(-1, 2),
      int(-1, 4),
      int(0, 2),
    ),
    message('D', int(1, 2), int(value.length, 4), Buffer.from(value)),
    message('C', Buffer.from('SELECT 1\0')),
    READY,
  ])
