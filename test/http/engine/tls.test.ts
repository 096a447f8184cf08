import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import type { HookTls } from '../../../lib/config/settings/hooks.ts'
import { trust } from '../../../lib/http/proxy/forwarded.ts'
import { tlsOptions } from '../../../lib/http/tls.ts'
import { ms } from '../../../lib/units.ts'
import { until } from '../../support/until.ts'
import { get, LAST, listening, serve } from './serving.ts'

const file = (name: string) => join(__dirname, 'certificates', name)
const settings = (name: string, more: Partial<HookTls> = {}): HookTls => ({
  certfile: file(`${name}.cert.pem`),
  keyfile: file(`${name}.key.pem`),
  caCerts: null,
  certReqs: 'none',
  ciphers: null,
  tlsMinVersion: 'TLSv1.2',
  ...more,
})

/** Sends, after what comes before the handshake; what came until the server closed, and the name on its certificate. */
function speak(port: number, bytes: string, options: tls.ConnectionOptions = {}, before = ''): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const raw = net.connect(port, '127.0.0.1', () => {
      if (before !== '') raw.write(before)
      const socket = tls.connect({ socket: raw, rejectUnauthorized: false, ...options }, () => socket.write(bytes))
      let received = ''
      let name = ''
      socket.setEncoding('latin1').on('data', (text) => {
        received += text
        name = String(socket.getPeerCertificate().subject.CN)
      })
      socket.on('error', reject)
      socket.on('end', () => socket.end())
      socket.on('close', () => resolve([received, name]))
    })
    raw.on('error', reject)
  })
}

const connectionsOf = (server: http.Server) =>
  new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )

const about: http.RequestListener = (req, res) => {
  const socket = req.socket as tls.TLSSocket
  res.end(`encrypted ${socket.encrypted} authorized ${socket.authorized} from ${socket.remoteAddress}`)
}

test('A plain http.Server is served over TLS, and its certificate renewed.', async () => {
  const { port, engine } = await serve(about, { tls: tlsOptions(settings('one')) })
  const [received, name] = await speak(port, get('/', LAST))
  expect(received).toContain('encrypted true authorized false from 127.0.0.1')
  expect(name).toBe('one')
  engine.renewTls(tlsOptions(settings('two')))
  expect((await speak(port, get('/', LAST)))[1]).toBe('two')
})

test('The PROXY protocol stands before the handshake.', async () => {
  const proxy = { mode: 'v1', trusts: trust(['127.0.0.1']) } as const
  const plain = await serve(about, { tls: tlsOptions(settings('one')), proxy })
  const own = await serve(about, { proxy }, https.createServer(tlsOptions(settings('one'))))
  for (const { port } of [plain, own]) {
    const [received] = await speak(port, get('/', LAST), {}, 'PROXY TCP4 192.0.2.7 192.0.2.8 1024 443\r\n')
    expect(received).toContain('from 192.0.2.7')
    await expect(speak(port, get('/', LAST))).rejects.toThrow()
  }
})

test('Clients without a certificate are refused where one is required, and served where it is optional.', async () => {
  const asking = (certReqs: HookTls['certReqs']) =>
    serve(about, { tls: tlsOptions(settings('one', { certReqs, caCerts: file('two.cert.pem') })) })
  const [required, optional] = await Promise.all([asking('required'), asking('optional')])
  const client = { cert: readFileSync(file('two.cert.pem')), key: readFileSync(file('two.key.pem')) }
  await expect(speak(required.port, get('/', LAST))).rejects.toThrow()
  expect((await speak(required.port, get('/', LAST), client))[0]).toContain('authorized true')
  expect((await speak(optional.port, get('/', LAST)))[0]).toContain('authorized false')
})

test('The oldest version and the ciphers are as set.', async () => {
  const { port } = await serve(about, { tls: tlsOptions(settings('one', { tlsMinVersion: 'TLSv1.3' })) })
  await expect(speak(port, get('/', LAST), { maxVersion: 'TLSv1.2' })).rejects.toThrow()
  const chosen = await serve(about, { tls: tlsOptions(settings('one', { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })) })
  const cipher = await new Promise((resolve) => {
    const socket = tls.connect({ port: chosen.port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' }, () => {
      resolve(socket.getCipher().name)
      socket.destroy()
    })
  })
  expect(cipher).toBe('ECDHE-ECDSA-AES256-GCM-SHA384')
})

test('Servers that share ticket keys resume each other’s sessions.', async () => {
  const ticketKeys = Buffer.alloc(48, 7)
  const with12 = { ...tlsOptions(settings('one')), ticketKeys, maxVersion: 'TLSv1.2' as const }
  const [first, second] = await Promise.all([serve(about, { tls: with12 }), serve(about, { tls: with12 })])
  const connect = (port: number, session?: Buffer) =>
    new Promise<{ reused: boolean; session: Buffer }>((resolve, reject) => {
      const socket = tls.connect({
        port,
        rejectUnauthorized: false,
        maxVersion: 'TLSv1.2',
        ...(session && { session }),
      })
      socket.on('error', reject)
      socket.on('data', () => {
        resolve({ reused: socket.isSessionReused(), session: socket.getSession()! })
        socket.destroy()
      })
      socket.write(get('/'))
    })
  const { session } = await connect(first.port)
  expect((await connect(second.port, session)).reused).toBe(true)
})

test('An https.Server of the app is served with its own certificate; pipelining and keep-alive work over TLS.', async () => {
  const server = https.createServer(tlsOptions(settings('two')))
  const { port } = await serve((req, res) => res.end(`over ${req.url}`), {}, server)
  const [received, name] = await speak(port, get('/1') + get('/2', LAST))
  expect(received).toMatch(/keep-alive[\s\S]*over \/1[\s\S]*close[\s\S]*over \/2$/)
  expect(name).toBe('two')
})

test('A client that speaks no TLS is closed, and others are served.', async () => {
  const { port, engine } = await serve(about, { tls: tlsOptions(settings('one')) })
  const plain = net.connect(port, '127.0.0.1', () => plain.write(get('/')))
  await new Promise((resolve) => plain.resume().on('close', resolve))
  expect((await speak(port, get('/', LAST)))[0]).toContain('200 OK')
  expect(engine.counts().requests).toBe(1)
})

test('A client that goes away within its handshake is let go before one that is still there.', async () => {
  const { port, server } = await serve(about, { tls: tlsOptions(settings('one')) })
  const silent = net.connect(port, '127.0.0.1')
  silent.resume().write(Buffer.from([0x16, 0x03, 0x01]))
  await once(silent, 'connect')
  const leaving = tls.connect({ port, rejectUnauthorized: false }, () => leaving.destroy())
  await once(leaving, 'close')
  let silentIsThere = true
  silent.once('close', () => {
    silentIsThere = false
  })
  while ((await connectionsOf(server)) > 1) await new Promise(setImmediate)
  await speak(port, get('/', LAST))
  expect(silentIsThere).toBe(true)
  silent.destroy()
})

test('A client that half-closes is answered over TLS too.', async () => {
  const slowly: http.RequestListener = (req, res) =>
    void req.socket.once('end', () => setImmediate(() => res.end('after its end')))
  const plain = await serve(slowly, { tls: tlsOptions(settings('one')) })
  const own = await serve(slowly, {}, https.createServer(tlsOptions(settings('one'))))
  for (const { port } of [plain, own]) {
    const options = { port, rejectUnauthorized: false, allowHalfOpen: true } as tls.ConnectionOptions
    const client = tls.connect(options).setEncoding('latin1')
    client.end(get('/'))
    let received = ''
    client.on('data', (text) => {
      received += text
    })
    await once(client, 'close')
    expect(received).toContain('after its end')
  }
})

test('Whoever takes an upgraded connection over hears of an end that came before, while a response was awaited.', async () => {
  const { port, engine, server } = await serve(
    (req, res) => void req.socket.once('end', () => setImmediate(() => res.end('before'))),
    { tls: tlsOptions(settings('one')) },
  )
  server.on('upgrade', (_req, socket) => socket.on('end', () => socket.end('heard')).resume())
  const options = { port, rejectUnauthorized: false, allowHalfOpen: true } as tls.ConnectionOptions
  const client = tls.connect(options).setEncoding('latin1')
  client.end(get('/') + get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'))
  let received = ''
  client.on('data', (text) => {
    received += text
  })
  await once(client, 'close')
  expect(received).toMatch(/beforeheard$/)
  await until(() => engine.counts().connections === 0)
})

test('A request that was answered hears of no timeout while its connection ends.', async () => {
  const sockets: net.Socket[] = []
  let told = 0
  const answerLate: http.RequestListener = (req, res) => {
    sockets.push(req.socket)
    req.setTimeout(20, () => {
      told++
      if (!res.headersSent) res.writeHead(408, { Connection: 'close' }).end()
    })
  }
  const { port } = await serve(answerLate, {}, https.createServer(tlsOptions(settings('one'))))
  const options = { port, rejectUnauthorized: false, allowHalfOpen: true } as tls.ConnectionOptions
  const client = tls.connect(options).resume()
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
  await once(client, 'end')
  if (!sockets[0]!.destroyed) await once(sockets[0]!, 'close')
  client.destroy()
  expect(told).toBe(1)
})

test('A drain ends what never finishes its handshake, and leaves an upgraded connection over TLS the time for streams.', async () => {
  const { port, engine, server } = await serve(about, { tls: tlsOptions(settings('one')) })
  server.on('upgrade', (_req, socket) => {
    socket.write('upgraded')
    socket.pipe(socket)
  })
  const client = tls.connect({ port, rejectUnauthorized: false }).setEncoding('latin1')
  client.write(get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'))
  await once(client, 'data')
  const silent = net.connect(port, '127.0.0.1')
  // The beginning of a handshake: its grace is the longest.
  silent.resume().write(Buffer.from([0x16, 0x03, 0x01]))
  await once(silent, 'connect')
  const drained = engine.drain({ idle: ms(50), streams: ms(60_000) })
  await once(silent, 'close')
  client.write('echo')
  expect(await once(client, 'data')).toEqual(['echo'])
  client.destroy()
  await drained
})

test('What is wrong with the files is said in one line that names setting and file.', () => {
  expect(() => tlsOptions(settings('missing'))).toThrow(/^certfile: cannot read .*missing\.cert\.pem: ENOENT/)
  expect(() => tlsOptions(settings('one', { keyfile: file('two.key.pem') }))).toThrow(
    /^certfile: no TLS with .*one\.cert\.pem and .*two\.key\.pem: .*mismatch/,
  )
  expect(() => tlsOptions(settings('one', { caCerts: __filename, certReqs: 'required' }))).not.toThrow(/undefined/)
})

test('http and https servers without the engine are not touched.', async () => {
  const plain = http.createServer((_req, res) => res.end('plain'))
  const { port } = await listening(plain)
  const text = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then((res) => res.text())
  expect(text).toBe('plain')
})
