/** What a worker serves its servers with, over its lives. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { Servers, type ServersOptions } from '../../lib/worker/serve.ts'
import { track } from '../../lib/worker/tracker.ts'

const servers: net.Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await once(server.close(), 'close')
})

async function listening(server: net.Server): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as net.AddressInfo).port
}

const file = (name: string): Buffer => readFileSync(join(__dirname, '..', 'http', 'engine', 'certificates', name))
const PAIR = { cert: file('one.cert.pem'), key: file('one.key.pem') }

const options = (): ServersOptions => ({ engine: { tls: PAIR }, responded: null, tickets: null, warn: () => undefined })

/** The name of the certificate. */
async function nameAt(port: number): Promise<string> {
  const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(client, 'secureConnect')
  const { CN } = client.getPeerCertificate().subject
  client.resume().end()
  await once(client, 'close')
  return String(CN)
}

test('what stands in front of servers by the hook sslContext does so in the next life as well', async () => {
  const all = new Servers(options())
  const adopted = async (): Promise<number> => {
    const server = http.createServer()
    all.adopt(server, 'http')
    return listening(server)
  }
  expect(await nameAt(await adopted())).toBe('one')
  all.useTls({ cert: file('two.cert.pem'), key: file('two.key.pem') })
  expect(await nameAt(await adopted())).toBe('two')
  all.renew(options())
  expect(await nameAt(await adopted())).toBe('two')
})

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
