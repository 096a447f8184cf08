import http from 'node:http'
import { trust } from '../../../lib/http/proxy/forwarded.ts'
import { ms } from '../../../lib/units.ts'
import { converse } from '../../support/http.ts'
import { get, LAST, serve } from './serving.ts'

const echo: http.RequestListener = (req, res) => void req.resume().on('end', () => res.end(`done ${req.url}`))

const SLOW = {
  'a client that sends nothing': '',
  'a client that does not end its head': 'GET / HTTP/1.1\r\nHost:',
  'a client that does not end its body': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc',
}

test.each(Object.entries(SLOW))('%s is told 408 and closed', async (_title, bytes) => {
  const { port, server } = await serve(echo)
  server.headersTimeout = 30
  server.requestTimeout = 40
  const client = await converse({ port })
  client.send(bytes)
  expect(await client.closed()).toMatch(
    /^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*\r\n\r\nThe request did not arrive in time\.$/,
  )
})

test('A client that sends a byte now and then does not live longer than headersTimeout.', async () => {
  const { port, server } = await serve(echo)
  server.headersTimeout = 60
  const client = await converse({ port })
  const drip = setInterval(() => client.socket.write('x'), 5)
  client.socket.once('close', () => clearInterval(drip))
  client.send('GET /')
  expect(await client.closed()).toContain('408 Request Timeout')
})

test('clientError gets ERR_HTTP_REQUEST_TIMEOUT and may answer itself.', async () => {
  const { port, server } = await serve(echo)
  server.headersTimeout = 20
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => socket.end(`${error.code} ${error.message}`))
  const client = await converse({ port })
  client.send('GET')
  expect(await client.closed()).toBe('ERR_HTTP_REQUEST_TIMEOUT Request timeout')
})

test('headersTimeout counts from the first byte of a request, not from the response before it.', async () => {
  const { port, server } = await serve(echo)
  server.headersTimeout = 300
  server.keepAliveTimeout = 60_000
  const client = await converse({ port })
  client.send(get('/1'))
  await client.until('done /1')
  await new Promise((resolve) => setTimeout(resolve, 400))
  client.send('GET /2 HTTP/1.1\r\nHo')
  setImmediate(() => client.send('st: a\r\n\r\n'))
  await client.until('done /2')
})

/** Goes ahead as the test says. */
function ownClock(ahead = 0) {
  const clock = { ahead }
  const { now } = performance
  jest.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + clock.ahead)
  return clock
}

afterEach(() => jest.restoreAllMocks())

/** One client's time is over: so is that of all others that are due by then. */
async function looked(port: number): Promise<void> {
  const client = await converse({ port }, { allowHalfOpen: true })
  client.send(get('/never'))
  client.socket.end()
  await client.closed()
}

describe('Before its first request', () => {
  const serveFirst = () =>
    serve((req, res) => (req.url === '/never' ? {} : echo(req, res)), { disconnectGrace: ms(20) })

  test.each([
    ['headersTimeout', 'GET /1 HTTP/1.1\r\nHo', 'st: a\r\n\r\n'],
    ['requestTimeout', 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na', 'b'],
  ] as const)('a connection may wait, and %s counts from its first byte.', async (timeout, part, rest) => {
    const clock = ownClock()
    const { port, server, engine } = await serveFirst()
    server.headersTimeout = 60_000
    server[timeout] = 30_000
    const client = await converse({ port })
    while (engine.counts().connections === 0) await new Promise(setImmediate)
    clock.ahead += 20_000
    client.send(part)
    while (engine.counts().active === 0) await new Promise(setImmediate)
    clock.ahead += 20_000
    await looked(port)
    client.send(rest)
    await client.until('done /1')
  })

  test('a connection may not wait for longer than headersTimeout, nor in its PROXY header.', async () => {
    const clock = ownClock()
    const { port, engine } = await serve(echo, { proxy: { mode: 'v1', trusts: trust(['*']) } })
    const [silent, begun, named] = await Promise.all([converse({ port }), converse({ port }), converse({ port })])
    begun.send('PROXY TCP4')
    named.send('PROXY UNKNOWN\r\n')
    while (engine.counts().connections < 3 || engine.counts().active === 0) await new Promise(setImmediate)
    clock.ahead += 60_000
    for (const client of [silent, begun, named]) expect(await client.closed()).toContain('408 Request Timeout')
  })
})

test('keepAliveTimeout closes an idle connection without a word, a buffer later than it says.', async () => {
  const { port, server } = await serve(echo)
  server.keepAliveTimeout = 1
  ;(server as { keepAliveTimeoutBuffer?: number }).keepAliveTimeoutBuffer = 20
  const client = await converse({ port })
  client.send(get('/1'))
  expect(await client.closed()).toMatch(/Keep-Alive: timeout=0\r\n[\s\S]*done \/1$/)
})

test('keepAliveTimeout counts from the end of a body that comes behind its response.', async () => {
  const clock = ownClock()
  const bodies = new Set()
  const { port, server } = await serve(
    (req, res) => {
      if (req.url !== '/never') res.end(`done ${req.url}`)
      req.resume().on('end', () => bodies.add(req.url))
    },
    { disconnectGrace: ms(20) },
  )
  server.keepAliveTimeout = 30_000
  const client = await converse({ port })
  client.send('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na')
  await client.until('done /1')
  clock.ahead += 60_000
  await looked(port)
  client.send('b')
  while (!bodies.has('/1')) await new Promise(setImmediate)
  await looked(port)
  client.send(get('/2', LAST))
  expect(await client.closed()).toMatch(/done \/2$/)
})

describe('Where a request may take for ever,', () => {
  const withoutLimits = async () => {
    // A process that is a minute old when its first client comes.
    const clock = ownClock(60_000)
    const serving = await serve(
      (req, res) => {
        if (req.url !== '/never') res.end(`done ${req.url}`)
      },
      { disconnectGrace: ms(20) },
    )
    serving.server.headersTimeout = 0
    serving.server.requestTimeout = 0
    return { ...serving, clock }
  }

  test('an idle connection is closed after keepAliveTimeout.', async () => {
    const { port, clock } = await withoutLimits()
    const client = await converse({ port })
    client.send(get('/1'))
    await client.until('done /1')
    clock.ahead += 10_000
    expect(await client.closed()).toMatch(/done \/1$/)
  })

  test('an idle connection is not closed before, when others are looked at.', async () => {
    const { port } = await withoutLimits()
    const idle = await converse({ port })
    idle.send(get('/1'))
    await idle.until('done /1')
    await looked(port)
    idle.send(get('/2', LAST))
    expect(await idle.closed()).toMatch(/done \/2$/)
  })
})

test('A timeout listener of the server keeps an idle connection, as in Node.', async () => {
  const { port, server, engine } = await serve(echo)
  server.keepAliveTimeout = 1
  ;(server as { keepAliveTimeoutBuffer?: number }).keepAliveTimeoutBuffer = 0
  const told = new Promise((resolve) => server.once('timeout', resolve))
  const client = await converse({ port })
  client.send(get('/1'))
  await told
  client.send(get('/2'))
  await client.until('done /2')
  expect(engine.counts().connections).toBe(1)
})

test('server.timeout destroys a connection that is silent within a request.', async () => {
  const { port, server } = await serve(() => {})
  server.timeout = 20
  const client = await converse({ port })
  client.send(get('/'))
  expect(await client.closed()).toBe('')
})

test('A timeout that the app sets for a request does not count between requests.', async () => {
  const { port, server } = await serve((req, res) => {
    req.setTimeout(30)
    res.end(`done ${req.url}`)
  })
  server.keepAliveTimeout = 60_000
  const client = await converse({ port })
  client.send(get('/1'))
  await client.until('done /1')
  await new Promise((resolve) => setTimeout(resolve, 100))
  client.send(get('/2', LAST))
  expect(await client.closed()).toContain('done /2')
})

test('A timeout that the app sets behind a response counts until the next request.', async () => {
  const { port, server } = await serve((req, res) => {
    if (req.url === '/2') setTimeout(() => res.end('done /2'), 200)
    else res.on('finish', () => req.socket.setTimeout(100)).end('done /1')
  })
  server.keepAliveTimeout = 60_000
  const [client, idle] = await Promise.all([converse({ port }), converse({ port })])
  client.send(get('/1'))
  await client.until('done /1')
  client.send(get('/2', LAST))
  expect(await client.closed()).toContain('done /2')
  idle.send(get('/1'))
  expect(await idle.closed()).toMatch(/done \/1$/)
})

describe('the keep-alive of the operator', () => {
  const asked = async (app: number | null, keepAlive: { timeout: number; explicit: boolean }, later?: number) => {
    const server = http.createServer()
    if (app !== null) server.keepAliveTimeout = app
    const { port } = await serve(echo, { keepAlive: { ...keepAlive, timeout: ms(keepAlive.timeout) } }, server)
    if (later !== undefined) server.keepAliveTimeout = later
    const client = await converse({ port })
    client.send(get('/'))
    await client.until('done /')
    return /Connection: close|timeout=\d+/.exec(client.received)![0]
  }

  test.each([
    [
      'A default holds where the app said nothing.',
      null,
      { timeout: 75_000, explicit: false },
      undefined,
      'timeout=75',
    ],
    [
      'What the app said before wins over a default.',
      7000,
      { timeout: 75_000, explicit: false },
      undefined,
      'timeout=7',
    ],
    ['What the app says later wins over a default.', null, { timeout: 75_000, explicit: false }, 9000, 'timeout=9'],
    [
      'An explicit setting wins over what the app said before.',
      7000,
      { timeout: 3000, explicit: true },
      undefined,
      'timeout=3',
    ],
    [
      'An explicit setting wins over what the app says later.',
      null,
      { timeout: 3000, explicit: true },
      9000,
      'timeout=3',
    ],
    ['An explicit zero closes every connection.', null, { timeout: 0, explicit: true }, undefined, 'Connection: close'],
  ])('%s', async (_title, app, keepAlive, later, shown) => {
    expect(await asked(app, keepAlive, later)).toBe(shown)
  })
})
