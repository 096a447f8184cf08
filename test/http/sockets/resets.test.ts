/** Clients that reset their connections, wherever that hurts most: nothing is left of them, and others are served. */
import { once } from 'node:events'
import net from 'node:net'
import { Duplex } from 'node:stream'
import tls from 'node:tls'
import { Random } from '../../support/random.ts'
import { type ServerProcess, startServers } from './server.ts'
import { wellBehaved } from './well-behaved.ts'

/** At once. */
const CLIENTS = 16

const REQUESTS =
  'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n01234567890123456789' +
  'POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\nX: y\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n'
const V1 = Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.8 1024 443\r\n')
const V2 = Buffer.from(`0d0a0d0a000d0a515549540a21210024${'20010db8000000000000000000000001'.repeat(2)}04000050`, 'hex')

let servers: ServerProcess
const ports: Record<string, number> = {}

beforeAll(async () => {
  const proxied = { proxyProtocol: 'auto' } as const
  const profiles = [
    { name: 'plain' },
    { name: 'tls', tls: true },
    { name: 'proxied', options: proxied },
    { name: 'proxied-tls', options: proxied, tls: true },
  ]
  servers = startServers(profiles, true)
  for (const { name } of profiles) ports[name] = await servers.port(name)
})

const everywhere = (length: number): number[] => Array.from({ length: length + 1 }, (_, index) => index)

/** Each of them, some at once, while another client is served; then nothing is left. */
async function all<Case>(cases: readonly Case[], play: (each: Case) => Promise<void>): Promise<void> {
  const other = wellBehaved(ports.plain!)
  const left = [...cases]
  const work = async () => {
    for (let each = left.shift(); each !== undefined; each = left.shift()) await play(each)
  }
  await Promise.all(Array.from({ length: CLIENTS }, work))
  expect(await other.stop()).toBeGreaterThan(0)
  await servers.isUnharmed()
}

async function opened(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

async function reset(socket: net.Socket): Promise<void> {
  const closed = once(socket, 'close')
  socket.resetAndDestroy()
  await closed
}

/** Until so many bytes have come. */
async function readSome(socket: Duplex, bytes: number): Promise<void> {
  let length = 0
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    length += chunk.length
    if (length >= bytes) return
  }
  throw new Error(`closed after ${length} bytes`)
}

/** What TLS sends goes on to `raw` as far as `most` bytes; then it is reset. */
function limited(raw: net.Socket, most: number): Duplex & { records: number[] } {
  let sent = 0
  const records: number[] = []
  return Object.assign(
    new Duplex({
      read() {
        raw.resume()
      },
      write(chunk: Buffer, _encoding, done) {
        const part = chunk.subarray(0, most - sent)
        for (let at = 0; at < chunk.length; at += 5 + chunk.readUInt16BE(at + 3)) records.push(sent + at)
        sent += part.length
        if (part.length > 0) raw.write(part)
        if (sent >= most) raw.end(() => reset(raw))
        else done()
      },
    }),
    { records },
  )
}

/** A TLS client that has the connection for so many bytes of its own; gives where its records began. */
async function overTls(port: number, bytes: string, most: number, before?: Buffer): Promise<number[]> {
  const raw = await opened(port)
  if (before !== undefined) raw.write(before)
  const closed = once(raw, 'close')
  if (most === 0) await reset(raw)
  const through = limited(raw, most)
  raw.on('data', (chunk) => through.push(chunk)).on('close', () => through.destroy())
  const client = tls.connect({ socket: through, rejectUnauthorized: false }, () => client.write(bytes))
  client
    .on('error', () => {})
    .on('data', () => {
      // The whole of it was sent: answered.
      if (most === Number.POSITIVE_INFINITY) void reset(raw)
    })
  await closed
  client.destroy()
  return through.records
}

test('At any byte of a PROXY header and of the request behind it.', async () => {
  const cases = [V1, V2].flatMap((header) => {
    const bytes = Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')])
    return everywhere(bytes.length).map((length) => bytes.subarray(0, length))
  })
  const twice = cases.flatMap((bytes) => ['proxied', 'proxied-tls'].map((name) => ({ bytes, port: ports[name]! })))
  await all(twice, async ({ bytes, port }) => {
    const socket = await opened(port)
    if (bytes.length > 0) await new Promise((resolve) => socket.write(bytes, resolve))
    await reset(socket)
  })
})

test('At the edges of the records of a TLS handshake, within them, and at any place of what is said over it.', async () => {
  const records = await overTls(ports.tls!, REQUESTS, Number.POSITIVE_INFINITY)
  const last = records.at(-1)!
  expect(records.length).toBeGreaterThan(2)
  const random = new Random(1)
  const within = Array.from({ length: 150 }, () => random.below(last + REQUESTS.length))
  const cuts = [...records.flatMap((at) => [at - 1, at, at + 1, at + 5, at + 6].filter((each) => each >= 0)), ...within]
  const cases = cuts.flatMap((most) => [
    { port: ports.tls!, most },
    { port: ports['proxied-tls']!, most, before: V1 },
  ])
  await all(cases, async ({ port, most, before }) => void (await overTls(port, REQUESTS, most, before)))
})

/** How much of the response is read before. */
const READ = [1, 200, 20_000, 60_000]

/** A connection, and what is spoken on it, behind the handshake where that is TLS. */
async function spoken(name: string): Promise<{ raw: net.Socket; socket: net.Socket }> {
  const raw = await opened(ports[name]!)
  if (name !== 'tls') return { raw, socket: raw }
  const socket = tls.connect({ socket: raw, rejectUnauthorized: false }).on('error', () => {})
  await once(socket, 'secureConnect')
  return { raw, socket }
}

test('In a response that is large, or goes on and on, read or not, plain or over TLS.', async () => {
  const cases = ['plain', 'tls'].flatMap((name) =>
    ['/large', '/stream'].flatMap((path) =>
      [0, ...READ, ...(path === '/stream' ? [1_000_000, 3_000_000] : [])].flatMap((read) =>
        everywhere(4).map(() => ({ name, path, read })),
      ),
    ),
  )
  await all(cases, async ({ name, path, read }) => {
    const { raw, socket } = await spoken(name)
    await new Promise((resolve) => socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(3), resolve))
    if (read > 0) await readSome(socket, read)
    await reset(raw)
    socket.destroy()
  })
})

test('On an upgraded connection, before and after its first bytes, and while the server cannot write.', async () => {
  const cases = ['plain', 'tls'].flatMap((name) =>
    [0, 1, 1000, 4_000_000].flatMap((bytes) =>
      [0, 1].flatMap((read) => everywhere(4).map(() => ({ name, bytes, read }))),
    ),
  )
  await all(cases, async ({ name, bytes, read }) => {
    const { raw, socket } = await spoken(name)
    await new Promise((resolve) => socket.write(UPGRADE, resolve))
    if (read > 0) await readSome(socket, read)
    // More than the kernel holds is never written whole: its echo is not read.
    if (bytes > 0)
      await Promise.race([new Promise((resolve) => socket.write(Buffer.alloc(bytes), resolve)), stuck(raw)])
    await reset(raw)
    socket.destroy()
  })
})

/** Nothing more leaves it. */
async function stuck(raw: net.Socket): Promise<void> {
  for (let before = -1; before !== raw.bytesWritten - raw.writableLength; ) {
    before = raw.bytesWritten - raw.writableLength
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
