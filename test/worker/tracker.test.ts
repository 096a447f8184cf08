/** What is known of servers that keep Node's own protocol code. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { ms } from '../../lib/units.ts'
import { track } from '../../lib/worker/tracker.ts'
import { CERTIFICATES } from '../support/tls.ts'
import { listening } from './listening.ts'

const file = (name: string): Buffer => readFileSync(join(CERTIFICATES, name))
const PAIR = { cert: file('one.cert.pem'), key: file('one.key.pem') }

test('a stream of http2 that is gone by the end of its preRequest is not given to the app', async () => {
  const given: (string | undefined)[] = []
  const server = http2.createServer((req, res) => {
    given.push(req.url)
    res.end()
  })
  const waits: (() => void)[] = []
  let came = (): void => {}
  track(server, 'http2', null, ({ url }) => (go) => {
    if (url === '/there') go()
    else waits.push(go)
    came()
  })
  const session = http2.connect(`http://127.0.0.1:${await listening(server)}`)
  const arrived = new Promise<void>((resolve) => {
    came = resolve
  })
  const gone = session.request({ ':path': '/gone' }).on('error', () => undefined)
  const closed = once(server, 'stream').then(([stream]) => once(stream, 'close'))
  await arrived
  gone.close(http2.constants.NGHTTP2_CANCEL)
  await closed
  waits[0]!()
  const there = session.request({ ':path': '/there' }).resume()
  await once(there, 'close')
  session.destroy()
  expect(given).toEqual(['/there'])
})

test('a server of another protocol may emit events that have the names of ours', async () => {
  const server = net.createServer((socket) => {
    socket.once('data', (data) => server.emit('request', String(data), socket))
  })
  server.on('request', (text: string, socket: net.Socket) => socket.end(`answer to ${text}`))
  track(server, 'net', null)
  const client = net.connect(await listening(server), '127.0.0.1')
  client.write('hi')
  expect(String((await once(client, 'data'))[0])).toBe('answer to hi')
  client.destroy()
})

/** No test waits for what a drain would end by itself. */
const LONG = { idle: ms(600_000), streams: ms(600_000) }

test('a connection is forgotten behind its close, also where the app removes all listeners', async () => {
  const order: string[] = []
  const server = net.createServer((socket) => {
    socket.removeAllListeners()
    socket.on('close', () => order.push('closed'))
    socket.on('end', () => socket.end()).resume()
    socket.write('hi')
  })
  const served = track(server, 'net', null)
  const client = net.connect(await listening(server), '127.0.0.1')
  await once(client, 'data')
  expect(served.counts()).toMatchObject({ connections: 1, active: 1 })
  const drained = served.drain(LONG).then(() => order.push('drained'))
  client.end()
  await drained
  expect(order).toEqual(['closed', 'drained'])
  expect(served.counts()).toMatchObject({ connections: 0, active: 0 })
})

test('a connection is forgotten also where the app removes all listeners when it has destroyed it', async () => {
  const server = net.createServer((socket) => {
    socket.once('data', () => socket.destroy().removeAllListeners())
  })
  const served = track(server, 'net', null)
  const client = net.connect(await listening(server), '127.0.0.1')
  client.write('go')
  await once(client.resume(), 'close')
  await served.drain(LONG)
  expect(served.counts()).toMatchObject({ connections: 0, active: 0 })
})

test('an upgraded connection over TLS beside http2 is forgotten also where the app removes all listeners', async () => {
  const server = http2.createSecureServer({ ...PAIR, allowHTTP1: true })
  server.on('upgrade', (_req, socket) => {
    socket.removeAllListeners()
    socket.on('end', () => socket.destroy().removeAllListeners()).resume()
    socket.write('upgraded')
  })
  const served = track(server, 'http2', null)
  const client = tls.connect({ port: await listening(server), host: '127.0.0.1', rejectUnauthorized: false })
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  expect(String((await once(client, 'data'))[0])).toBe('upgraded')
  expect(served.counts()).toMatchObject({ connections: 1, active: 1 })
  const drained = served.drain(LONG)
  client.end()
  await drained
  expect(served.counts()).toMatchObject({ connections: 0, active: 0 })
})

test('a stream of http2 is counted once and forgotten also where the app removes all listeners', async () => {
  const server = http2.createServer()
  server.on('stream', (stream) => {
    stream.removeAllListeners()
    stream.respond({ ':status': 404 }, { endStream: true })
  })
  const served = track(server, 'http2', null)
  const session = http2.connect(`http://127.0.0.1:${await listening(server)}`)
  await once(session.request().resume(), 'close')
  await served.drain(LONG)
  expect(served.counts()).toEqual({ requests: 1, active: 0, connections: 0, classes: [0, 0, 0, 1, 0] })
})
