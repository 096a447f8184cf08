/** The differential run over sockets: Node's server and ours, each with the same app, and a client that sends both the same. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { attach } from '../../../lib/http/attach.ts'
import { HTTP_ERRORS, type HttpErrorCode } from '../../../lib/http/errors.ts'
import { Random } from '../../support/random.ts'
import type { ByNode } from '../by-node.ts'
import { TEXTS } from '../corpus.ts'
import { mutate } from '../mutate.ts'
import { record } from '../recorded.ts'
import { compare, isListed, nameOf, type Ours } from '../verdict.ts'
import { connect, piecesOf } from './played.ts'

const rounds = Number(process.env.MONOCEROS_DIFFERENTIAL_ROUNDS ?? 1000)

/** At once. */
const CLIENTS = 12

type Side = { readonly port: number; recordOf(client: number): ByNode }

/** Records by the port of the client. */
async function side(isOurs: boolean): Promise<Side> {
  const server = http.createServer({ requireHostHeader: false })
  const records = new Map<number, ByNode>()
  const of = (socket: Duplex): ByNode => {
    const port = (socket as net.Socket).remotePort!
    if (!records.has(port)) records.set(port, { requests: [], error: null })
    return records.get(port)!
  }
  server.on('connection', of)
  record(server, of)
  if (isOurs) {
    attach(server, { limits: { limitRequestFields: 0 } })
  } else {
    Object.assign(server, { httpAllowHalfOpen: true })
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // Behind what it has reset itself there is no port to know it by.
      if ((socket as net.Socket).remotePort === undefined) return
      of(socket).error ??= error.code ?? error.message
      socket.destroy()
    })
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  server.unref()
  return {
    port: (server.address() as net.AddressInfo).port,
    recordOf(client) {
      const found = records.get(client) ?? { requests: [], error: null }
      records.delete(client)
      return found
    },
  }
}

/** Which error the answer is that ends it. */
function errorIn(received: string): HttpErrorCode | null {
  const errors = Object.values(HTTP_ERRORS).filter(({ text }) =>
    received.endsWith(`\r\nConnection: close\r\n\r\n${text}`),
  )
  assert(errors.length < 2)
  return errors[0]?.code ?? null
}

async function byUs({ port, recordOf }: Side, pieces: readonly Buffer[]): Promise<Ours> {
  const client = await connect(port)
  const local = client.socket.localPort!
  await client.send(pieces)
  client.halfClose()
  await client.untilEnd()
  client.destroy()
  const { requests } = recordOf(local)
  const answered = client.received.split('HTTP/1.1 200 OK\r\n').length - 1
  const whole = requests.filter(({ complete, upgrade }) => complete && !upgrade).length
  assert.equal(answered, whole, 'every request that has come whole is answered, and no other')
  return { requests, error: errorIn(client.received) }
}

/** Node resets some of its clients. */
async function byNodeOver({ port, recordOf }: Side, pieces: readonly Buffer[]): Promise<ByNode> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  const local = socket.localPort!
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {}).resume()
  for (const piece of pieces) {
    if (!socket.writable) break
    await new Promise((resolve) => socket.write(piece, resolve))
    await new Promise(setImmediate)
  }
  socket.end()
  await closed
  return recordOf(local)
}

export const scenes = {
  async 'Every difference to Node over sockets, whole or cut, is listed.'() {
    const [ours, node] = [await side(true), await side(false)]
    const found = new Map<string, string>()
    const seen = new Set<string>()
    let seed = 0
    const work = async () => {
      while (seed < rounds) {
        const mine = ++seed
        const random = new Random(mine)
        const bytes = Buffer.from(mutate(TEXTS, random), 'latin1')
        const share = random.chance(0.5) ? 0 : random.unit() ** 4
        const cuts = Array.from(bytes.subarray(1), (_, index) => index + 1).filter(() => random.chance(share))
        const pieces = piecesOf(bytes, cuts)
        const text = `seed ${mine}: ${JSON.stringify(bytes.toString('latin1'))}`
        const verdict = await Promise.all([byUs(ours, pieces), byNodeOver(node, pieces)]).then(
          (both) => compare(...both),
          (error) => assert.fail(`${text}: ${error}`),
        )
        seen.add(nameOf(verdict))
        if (!isListed(verdict) && !found.has(nameOf(verdict))) found.set(nameOf(verdict), text)
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, work))
    assert.deepEqual([...found], [])
    assert(seen.has('same') && seen.size > 10, `only ${[...seen]}`)
  },
}
