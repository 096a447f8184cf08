import type http from 'node:http'
import { trust } from '../../../lib/http/proxy/forwarded.ts'
import type { ProxyMode } from '../../../lib/http/proxy/proxy-protocol.ts'
import { converse } from '../../support/http.ts'
import { until } from '../../support/until.ts'
import { get, LAST, serve } from './serving.ts'

const from: http.RequestListener = (req, res) =>
  res.end(`${req.url} from ${req.socket.remoteAddress} ${req.socket.remotePort} ${req.socket.remoteFamily}`)
const HEADER = 'PROXY TCP4 192.0.2.7 192.0.2.8 1024 443\r\n'
const V2 = Buffer.from(
  '0d0a0d0a000d0a515549540a21210024' + '20010db8000000000000000000000001'.repeat(2) + '04000050',
  'hex',
)

const behind = (mode: ProxyMode, peers = ['127.0.0.1']) => serve(from, { proxy: { mode, trusts: trust(peers) } })

/** Of what fake timers take the place of, all but `setTimeout`. */
const WITHOUT_TIMEOUT = [
  'clearImmediate',
  'clearInterval',
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
] as const

async function send(port: number, bytes: string | Buffer, pieces = false): Promise<string> {
  const client = await converse({ port })
  const all = Buffer.from(bytes as string, 'latin1')
  if (!pieces) client.send(all)
  else for (const byte of all) await new Promise((resolve) => client.socket.write(Buffer.of(byte), resolve))
  return client.closed()
}

test('The socket tells of the client for all requests of the connection, however the header is cut.', async () => {
  const { port } = await behind('v1')
  for (const pieces of [false, true]) {
    const received = await send(port, HEADER + get('/1') + get('/2', LAST), pieces)
    expect(received).toMatch(/\/1 from 192\.0\.2\.7 1024 IPv4[\s\S]*\/2 from 192\.0\.2\.7 1024 IPv4$/)
  }
})

test('Version 2 and auto are understood; auto takes connections without a header.', async () => {
  const { port } = await behind('auto')
  const bytes = Buffer.concat([V2, Buffer.from(get('/', LAST))])
  expect(await send(port, bytes)).toContain('from 2001:db8::1 1024 IPv6')
  expect(await send(port, HEADER + get('/', LAST))).toContain('from 192.0.2.7 1024 IPv4')
  expect(await send(port, get('/', LAST), true)).toMatch(/from 127\.0\.0\.1 \d+ IPv4/)
  expect(await send(port, `PROXY UNKNOWN\r\n${get('/', LAST)}`)).toMatch(/from 127\.0\.0\.1 \d+ IPv4/)
})

test.each(['P', '\r\n'])(
  'With auto, a request that begins with %j is no header, also where it is cut there.',
  async (begin) => {
    const { port, engine } = await behind('auto')
    const request =
      begin === 'P' ? `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${LAST}\r\nx` : begin + get('/', LAST)
    const client = await converse({ port })
    client.send(begin)
    await until(() => engine.counts().active === 1)
    client.send(request.slice(begin.length))
    expect(await client.closed()).toContain('/ from 127.0.0.1')
  },
)

test('A peer that may not send the header gets 403, a malformed or missing one 400.', async () => {
  const stranger = await behind('v1', ['10.0.0.0/8'])
  expect(await send(stranger.port, HEADER + get('/', LAST))).toMatch(/^HTTP\/1\.1 403 Forbidden/)
  const { port } = await behind('v1')
  expect(await send(port, `PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n${get('/')}`)).toMatch(/^HTTP\/1\.1 400 Bad Request/)
  expect(await send(port, get('/'))).toMatch(
    /^HTTP\/1\.1 400 Bad Request[\s\S]*The PROXY protocol header is missing\.$/,
  )
})

test('Only the first bytes of a connection are a header.', async () => {
  const { port } = await behind('v1')
  expect(await send(port, HEADER + get('/1') + HEADER)).toMatch(/\/1 from 192[\s\S]*HTTP\/1\.1 400 Bad Request/)
})

test('Before TLS, the time for the header is not prolonged by its bytes.', async () => {
  const { port, server } = await serve(from, { proxy: { mode: 'v2', trusts: trust(['*']) }, tls: {} })
  const connections = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
  jest.useFakeTimers({ doNotFake: [...WITHOUT_TIMEOUT] })
  const client = await converse({ port })
  // A header that says it is 65,535 bytes long.
  client.send(Buffer.concat([V2.subarray(0, 14), Buffer.of(0xff, 0xff)]))
  const drip = setInterval(() => client.socket.write('x'), 5)
  const closed = new Promise((resolve) => client.socket.once('close', resolve))
  client.socket.once('close', () => clearInterval(drip))
  while ((await connections()) === 0) await new Promise(setImmediate)
  jest.advanceTimersByTime(30_000)
  jest.useRealTimers()
  await closed
})
