import http from 'node:http'
import type { Writable } from 'node:stream'
import { trust } from '../../../lib/http/proxy/forwarded.ts'
import { ms } from '../../../lib/units.ts'
import { converse } from '../../support/http.ts'
import { until } from '../../support/until.ts'
import { get, serve } from './serving.ts'

const LONG = { idle: ms(60_000), streams: ms(60_000) }
const AT_ONCE = { idle: ms(0), streams: ms(60_000) }

/** Answers when told. */
function held() {
  const open: http.ServerResponse[] = []
  let arrived = () => {}
  const listener: http.RequestListener = (req, res) => {
    if (req.url !== '/held') {
      res.end(`done ${req.url}`)
      return
    }
    open.push(res)
    arrived()
  }
  return {
    open,
    listener,
    arrival: () =>
      new Promise<void>((resolve) => {
        arrived = resolve
      }),
  }
}

test('A request in flight is answered whole, with Connection: close.', async () => {
  const { open, listener, arrival } = held()
  const { port, engine } = await serve(listener)
  const came = arrival()
  const client = await converse({ port })
  client.send(get('/held'))
  await came
  const drained = engine.drain(LONG)
  open[0]!.end('whole')
  expect(await client.closed()).toMatch(/Connection: close\r\n[\s\S]*whole$/)
  await drained
  expect(engine.counts()).toMatchObject({ connections: 0, active: 0, idle: 0 })
})

test('An idle connection is served once more within the grace.', async () => {
  const { port, engine } = await serve(held().listener)
  const client = await converse({ port })
  client.send(get('/1'))
  await client.until('done /1')
  const drained = engine.drain(LONG)
  client.send(get('/2') + get('/3'))
  expect(await client.closed()).toMatch(/done \/1[\s\S]*Connection: close\r\n[\s\S]*done \/2$/)
  await drained
})

test('An idle connection and a silent one are closed when the grace is over.', async () => {
  const { port, engine } = await serve(held().listener)
  const [idle, silent] = await Promise.all([converse({ port }), converse({ port })])
  idle.send(get('/1'))
  await idle.until('done /1')
  await engine.drain(AT_ONCE)
  expect(await silent.closed()).toBe('')
  expect(await idle.closed()).toMatch(/done \/1$/)
})

test.each([
  ['before its PROXY header', { proxy: { mode: 'v1', trusts: trust(['*']) } }, ''],
  ['before its TLS handshake', { tls: {} }, ''],
  ['in its TLS handshake', { tls: {} }, '\x16\x03\x01'],
  ['before both', { proxy: { mode: 'v1', trusts: trust(['*']) }, tls: {} }, ''],
] as const)('A client that is silent %s does not keep the server.', async (_where, options, bytes) => {
  const server = http.createServer()
  const { port, engine } = await serve(held().listener, options, server)
  const client = await converse({ port })
  client.send(bytes)
  const came = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
  while ((await came()) === 0) await new Promise(setImmediate)
  await engine.drain(AT_ONCE)
  await client.closed()
  expect(await came()).toBe(0)
})

test('What the kernel has when the grace ends is still answered.', async () => {
  const { port, engine } = await serve(held().listener)
  const clients = await Promise.all(Array.from({ length: 20 }, () => converse({ port })))
  for (const client of clients) client.send(get('/1'))
  await Promise.all(clients.map((client) => client.until('done /1')))
  for (const client of clients) client.send(get('/2'))
  const drained = engine.drain(AT_ONCE)
  for (const client of clients) expect(await client.closed()).toMatch(/done \/2$/)
  await drained
})

test('A response that has said keep-alive is finished, then its connection closed.', async () => {
  const { open, listener, arrival } = held()
  const { port, engine } = await serve(listener)
  const came = arrival()
  const client = await converse({ port })
  client.send(get('/held'))
  await came
  open[0]!.write('begun ')
  await client.until('begun')
  const drained = engine.drain(AT_ONCE)
  open[0]!.end('and ended')
  expect(await client.closed()).toContain('and ended')
  await drained
})

test('Of pipelined requests the last says Connection: close.', async () => {
  const { open, listener, arrival } = held()
  const { port, engine } = await serve(listener)
  const came = arrival()
  const client = await converse({ port })
  client.send(get('/held') + get('/held'))
  await came
  expect(open).toHaveLength(2)
  const drained = engine.drain(LONG)
  open[0]!.end('first')
  open[1]!.end('last')
  expect(await client.closed()).toMatch(/Connection: keep-alive[\s\S]*first[\s\S]*Connection: close[\s\S]*last$/)
  await drained
})

test('Upgraded connections and responses that have begun end with the time for streams.', async () => {
  const { open, listener, arrival } = held()
  const { port, engine, server } = await serve(listener)
  server.on('upgrade', (_req, socket) => socket.write('upgraded'))
  const came = arrival()
  const [stream, upgraded] = await Promise.all([converse({ port }), converse({ port })])
  stream.send(get('/held'))
  await came
  open[0]!.write('begun')
  upgraded.send(get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'))
  await Promise.all([stream.until('begun'), upgraded.until('upgraded')])
  expect(engine.counts()).toMatchObject({ connections: 2, active: 2 })
  await engine.drain({ idle: ms(0), streams: ms(20) })
  await Promise.all([stream.closed(), upgraded.closed()])
  expect(engine.counts().connections).toBe(0)
})

describe('What begins behind the time for streams ends, too:', () => {
  /** Settles when the time for streams is over: a stream that has begun before is ended. */
  async function behindStreams(listener: http.RequestListener) {
    const serving = await serve((req, res) => {
      if (req.url === '/before') res.write('before')
      else listener(req, res)
    })
    const [before, client] = await Promise.all([converse(serving), converse(serving)])
    before.send(get('/before'))
    await before.until('before')
    return {
      ...serving,
      client,
      drain: async () => {
        const drained = serving.engine.drain({ idle: ms(60_000), streams: ms(0) })
        await before.closed()
        return { drained }
      },
    }
  }

  test('a response without end to a new request.', async () => {
    const { client, drain, engine } = await behindStreams((_req, res) => void res.write('begun'))
    const { drained } = await drain()
    client.send(get('/'))
    await drained
    expect(await client.closed()).toContain('begun')
    expect(engine.counts().connections).toBe(0)
  })

  test('a response without end to a request that came before.', async () => {
    const { open, listener, arrival } = held()
    const { client, drain } = await behindStreams(listener)
    const came = arrival()
    client.send(get('/held'))
    await came
    const { drained } = await drain()
    open[0]!.write('begun')
    await drained
    expect(await client.closed()).toContain('begun')
  })

  test('an upgraded connection.', async () => {
    const { client, drain, engine, server } = await behindStreams(() => {})
    server.on('upgrade', (_req, socket) => socket.write('upgraded'))
    const { drained } = await drain()
    client.send(get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'))
    await drained
    expect(await client.closed()).toBe('upgraded')
    expect(engine.counts().connections).toBe(0)
  })

  test('a response in parts, which is no stream, arrives whole.', async () => {
    const { client, drain } = await behindStreams((_req, res) => {
      res.write('begun, ')
      setTimeout(() => res.end('ended'), 100)
    })
    const { drained } = await drain()
    client.send(get('/'))
    expect(await client.closed()).toMatch(/begun, [\s\S]*ended\r\n0\r\n\r\n$/)
    await drained
  })
})

describe('A client that does not read', () => {
  const PART = Buffer.alloc(65_536, 'x')

  /** The client has asked and reads nothing; the server can write no more. */
  async function unread(listener: (res: http.ServerResponse) => void) {
    const serving = await serve((_req, res) => listener(res))
    serving.server.on('upgrade', (_req, socket) => fill(socket))
    const client = await converse(serving)
    client.socket.pause()
    return { ...serving, client }
  }

  const fill = (stream: Writable): void => {
    while (stream.write(PART)) {}
    stream.once('drain', () => fill(stream))
  }

  test.each([
    ['a stream', ''],
    ['an upgraded connection', 'Connection: upgrade\r\nUpgrade: x\r\n'],
  ])('keeps %s no longer than the time for streams, and a second.', async (_what, fields) => {
    const { client, engine } = await unread(fill)
    client.send(get('/', fields))
    await until(() => engine.counts().active === 1)
    await engine.drain({ idle: ms(0), streams: ms(20) })
    expect(engine.counts().connections).toBe(0)
    client.destroy()
  })

  test('is waited on for an answer that is ended: it may be slow.', async () => {
    const { client, engine, port } = await unread((res) => void res.end(Buffer.alloc(16_000_000, 'x')))
    client.send(get('/'))
    await until(() => engine.counts().active === 1)
    const drained = engine.drain({ idle: ms(60_000), streams: ms(0) })
    // A connection that is kept as long as the first is cut off: what is to be ended by then is.
    const late = await converse({ port })
    late.socket.pause()
    late.send(get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'))
    late.socket.on('error', () => {})
    await until(() => engine.counts().connections === 2)
    await until(() => engine.counts().connections === 1)
    client.socket.resume()
    expect((await client.closed()).endsWith(`\r\n\r\n${'x'.repeat(16_000_000)}`)).toBe(true)
    await drained
  })
})

test('A drain is over behind what the app does when its upgraded connection closes.', async () => {
  const { port, engine, server } = await serve(held().listener)
  const order: string[] = []
  server.on('upgrade', (_req, socket) => {
    socket.on('end', () => socket.end()).on('close', () => order.push('closed'))
    socket.resume()
    socket.write('upgraded')
  })
  const upgraded = await converse({ port })
  upgraded.send(get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'))
  await upgraded.until('upgraded')
  const drained = engine.drain(LONG).then(() => order.push('drained'))
  upgraded.socket.end()
  await drained
  expect(order).toEqual(['closed', 'drained'])
})

test('An upgraded connection is forgotten when it ends, also where the app has removed all listeners.', async () => {
  const { port, engine, server } = await serve(held().listener)
  server.on('upgrade', (_req, socket) => {
    socket.removeAllListeners()
    socket.on('error', () => {}).on('end', () => socket.destroy().removeAllListeners())
    socket.resume()
    socket.write('upgraded')
  })
  const upgraded = await converse({ port })
  upgraded.send(get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'))
  await upgraded.until('upgraded')
  expect(engine.counts().connections).toBe(1)
  const drained = engine.drain(LONG)
  upgraded.socket.end()
  await drained
  expect(engine.counts().connections).toBe(0)
})

test('closeIdleConnections spares what is in flight, closeAllConnections nothing.', async () => {
  const { listener, arrival } = held()
  const { port, server, engine } = await serve(listener)
  const came = arrival()
  const [idle, busy] = await Promise.all([converse({ port }), converse({ port })])
  idle.send(get('/1'))
  await idle.until('done /1')
  busy.send(get('/held'))
  await came
  server.closeIdleConnections()
  await idle.closed()
  expect(engine.counts()).toMatchObject({ connections: 1, active: 1 })
  server.closeAllConnections()
  expect(await busy.closed()).toBe('')
})

test('Each response is reported once, with status, bytes and how it ended.', async () => {
  const { open, listener, arrival } = held()
  const records: unknown[] = []
  const { port, engine } = await serve(listener, {
    onResponse: ({ request, response, bytes, aborted, duration }) =>
      records.push([request.url, response.statusCode, bytes, aborted, duration >= 0]),
  })
  const client = await converse({ port })
  client.send(get('/1') + get('/22'))
  await client.until('done /22')
  const came = arrival()
  client.send(get('/held'))
  await came
  open[0]!.write('begun')
  await client.until('begun')
  const aborted = new Promise((resolve) => open[0]!.once('close', resolve))
  client.destroy()
  await aborted
  const sent = client.received
    .split('HTTP/1.1')
    .slice(1)
    .map((text) => text.length + 'HTTP/1.1'.length)
  expect(records).toEqual([
    ['/1', 200, sent[0], false, true],
    ['/22', 200, sent[1], false, true],
    ['/held', 200, expect.any(Number), true, true],
  ])
  expect(engine.counts().requests).toBe(3)
})
