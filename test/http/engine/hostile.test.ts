/** Clients that mean harm, or are broken: the server stays up and bounded, and the others are served. */
import { once } from 'node:events'
import type http from 'node:http'
import net from 'node:net'
import { converse } from '../../support/http.ts'
import { Random } from '../../support/random.ts'
import { until } from '../../support/until.ts'
import { get, LAST, type Serving, serve } from './serving.ts'

const BODY = 'x'.repeat(50)
const STREAM =
  get('/1') +
  `POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}` +
  `POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\nX-T: 1\r\n\r\n` +
  get('/4', LAST)

const echo: http.RequestListener = (req, res) => {
  let length = 0
  req.on('data', (data) => {
    length += data.length
  })
  req.on('error', () => {})
  req.on('end', () => res.end(`${req.url} ${length}\n`))
}

async function isServed({ port }: Serving): Promise<void> {
  const client = await converse({ port })
  client.send(get('/still', LAST))
  expect(await client.closed()).toContain('/still 0')
}

/** However it ends. */
const closed = (client: net.Socket) => new Promise((resolve) => client.once('close', resolve))

/** Waits until the server has no connection left. */
const empty = ({ engine }: Serving): Promise<void> => until(() => engine.counts().connections === 0)

test('Clients that reset the connection at any byte harm nobody.', async () => {
  const serving = await serve(echo)
  for (let length = 0; length <= STREAM.length; length++) {
    const client = net.connect(serving.port, '127.0.0.1')
    client.on('error', () => {})
    await once(client, 'connect')
    if (length > 0) await new Promise((resolve) => client.write(STREAM.slice(0, length), resolve))
    client.resetAndDestroy()
  }
  await empty(serving)
  await isServed(serving)
})

test('Clients that close at any byte harm nobody.', async () => {
  const serving = await serve(echo)
  const clients = Array.from({ length: STREAM.length + 1 }, async (_, length) => {
    const client = net.connect({ port: serving.port, host: '127.0.0.1', allowHalfOpen: true })
    client.on('error', () => {})
    client.end(STREAM.slice(0, length))
    await once(client.resume(), 'close')
  })
  await Promise.all(clients)
  await empty(serving)
  await isServed(serving)
})

test('The answers are the same however the bytes are cut.', async () => {
  const serving = await serve(echo)
  const random = new Random(7)
  const answers = new Set<string>()
  for (let round = 0; round < 30; round++) {
    const client = await converse({ port: serving.port })
    for (let at = 0; at < STREAM.length; ) {
      const to = round === 0 ? STREAM.length : round === 1 ? at + 1 : at + 1 + Math.floor(random.unit() ** 3 * 60)
      const part = STREAM.slice(at, to)
      at = to
      await new Promise((resolve) => client.socket.write(part, resolve))
    }
    answers.add((await client.closed()).replace(/^Date: .*\r\n/gm, ''))
  }
  expect([...answers]).toHaveLength(1)
  expect([...answers][0]).toMatch(/\/1 0\n[\s\S]*\/2 50\n[\s\S]*\/3 16\n[\s\S]*\/4 0\n$/)
})

test('A client that never reads stops being read itself.', async () => {
  const large = Buffer.alloc(65_536, 'x')
  let answered = 0
  const serving = await serve((req, res) => {
    if (req.url === '/still') return echo(req, res)
    answered++
    res.end(large)
  })
  const client = net.connect(serving.port, '127.0.0.1').pause()
  client.on('error', () => {})
  const flood = get('/').repeat(1000)
  const stuck = new Promise<void>((resolve) => {
    const more = () => {
      while (client.write(flood)) if (client.bytesWritten > 64_000_000) throw new Error('the server reads on and on')
      const before = client.bytesWritten - client.writableLength
      setTimeout(() => (client.bytesWritten - client.writableLength === before ? resolve() : more()), 100)
    }
    more()
  })
  await stuck
  const sent = answered
  await isServed(serving)
  // As many as the kernel's buffers hold, and those that may wait in their turn.
  expect(sent).toBeLessThan(1000)
  client.destroy()
  await empty(serving)
})

test('A client that sends requests without end is given no more than some turns at once.', async () => {
  const open: http.ServerResponse[] = []
  const serving = await serve((req, res) => {
    if (req.url === '/still') return echo(req, res)
    open.push(res)
  })
  const client = net.connect(serving.port, '127.0.0.1')
  client.on('error', () => {})
  client.write(get('/').repeat(20_000))
  await isServed(serving)
  expect(open.length).toBeLessThanOrEqual(200)
  let answered = 0
  const all = new Promise<void>((resolve) => {
    client.on('data', (data) => {
      answered += data.toString('latin1').split('HTTP/1.1 200').length - 1
      if (answered >= 20_000) resolve()
    })
  })
  const answer = () => {
    for (const res of open.splice(0)) res.end()
    if (answered < 20_000) setImmediate(answer)
  }
  answer()
  await all
  client.destroy()
  await empty(serving)
})

test('A body that is not taken stops the client, and goes on when it is.', async () => {
  const taken: http.IncomingMessage[] = []
  const serving = await serve((req, res) => {
    if (req.url === '/still') return echo(req, res)
    taken.push(req)
    req.on('close', () => {})
  })
  const size = 32_000_000
  const client = net.connect(serving.port, '127.0.0.1')
  client.on('error', () => {})
  client.write(`POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
  client.write(Buffer.alloc(size))
  await isServed(serving)
  await until(() => taken.length > 0)
  const request = taken[0]!
  await isServed(serving)
  expect(request.readableLength).toBeLessThan(1_000_000)
  let length = 0
  for await (const chunk of request) length += chunk.length
  expect(length).toBe(size)
  client.destroy()
  await empty(serving)
})

test('A client that drips into a lingering connection is cut off.', async () => {
  const serving = await serve(echo)
  const client = net.connect({ port: serving.port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  client.write('nonsense\r\n\r\n')
  await once(client.resume(), 'end')
  const drip = setInterval(() => client.write('x'), 20)
  await closed(client)
  clearInterval(drip)
  expect(serving.engine.counts().connections).toBe(0)
})

test('A flood into a lingering connection is cut off before its time.', async () => {
  const serving = await serve(echo)
  const client = net.connect({ port: serving.port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  client.write(`nonsense\r\n\r\n${'x'.repeat(10_000_000)}`)
  await closed(client.resume())
  expect(client.bytesWritten).toBeGreaterThan(65_536)
})
