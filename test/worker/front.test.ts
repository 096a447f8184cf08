/** What stands before an app by the settings: TLS, the PROXY protocol, proxies that name the scheme. */
import { once } from 'node:events'
import { request } from 'node:https'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask, converse } from '../support/http.ts'
import { LOOPBACK, startWorker, type Worker } from './worker.ts'

const certificate = (name: string): string => join(__dirname, '..', 'http', 'engine', 'certificates', name)
const TLS = { certfile: certificate('one.cert.pem'), keyfile: certificate('one.key.pem') }
const app = (text: string): string => `${temporaryFolder({ 'app.js': text })}/app.js`
const TELL = `module.exports = (req, res) => res.end(JSON.stringify({
  encrypted: req.socket.encrypted === true, from: req.socket.remoteAddress, port: req.socket.remotePort }))`
const FETCH = `module.exports = { fetch: (request) => new Response(request.url) }`

const started = async (text: string, settings: Readonly<Record<string, unknown>>): Promise<[Worker, number]> => {
  const worker = startWorker({ file: app(text), bind: [LOOPBACK], settings })
  return [worker, await worker.port()]
}

const askSecurely = async (port: number): Promise<string> => {
  const client = request({
    port,
    host: '127.0.0.1',
    path: '/x',
    headers: { host: 'a' },
    rejectUnauthorized: false,
  }).end()
  const [response] = await once(client, 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return body
}

describe('certfile', () => {
  it('gives TLS to an app that made a plain http.Server, and https to the URL of a fetch app', async () => {
    const [, port] = await started(TELL, TLS)
    expect(JSON.parse(await askSecurely(port))).toMatchObject({ encrypted: true, from: '127.0.0.1' })
    const [, second] = await started(FETCH, TLS)
    expect(await askSecurely(second)).toBe('https://a/x')
  })

  it('that is not there ends the boot with its name', async () => {
    const worker = startWorker({ file: app(TELL), bind: [LOOPBACK], settings: { certfile: '/nowhere.pem' } })
    expect(await worker.told('failed')).toMatchObject({
      fault: 'setting',
      text: expect.stringMatching(/^certfile: cannot read \/nowhere\.pem: /),
    })
  })
})

describe('the PROXY protocol', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

  it("makes the client's address the socket's", async () => {
    const [, port] = await started(TELL, { proxyProtocol: 'v1' })
    const client = await converse({ port })
    client.send(`PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n${GET}`)
    expect(await client.closed()).toContain('{"encrypted":false,"from":"192.0.2.7","port":4711}')
  })

  it('does not change who is trusted to name the scheme', async () => {
    const [, port] = await started(FETCH, { proxyProtocol: 'v1', forwardedAllowIps: ['127.0.0.1'] })
    const client = await converse({ port })
    client.send(
      `PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n${GET.replace('\r\n\r\n', '\r\nX-Forwarded-Proto: https\r\n\r\n')}`,
    )
    expect(await client.closed()).toContain('\r\n\r\nhttps://a/')
  })
})

describe('fields that name the scheme and contradict each other', () => {
  const headers = { host: 'a', 'x-forwarded-proto': 'https', 'x-forwarded-ssl': 'off' }

  it('are refused of a trusted peer where they were configured', async () => {
    const [, port] = await started(FETCH, { explicit: ['secureSchemeHeaders'] })
    expect((await ask({ port }, { headers })).status).toBe(400)
    const [, other] = await started(FETCH, { explicit: ['secureSchemeHeaders'], forwardedAllowIps: ['192.0.2.1'] })
    expect((await ask({ port: other }, { headers })).body).toBe('http://a/')
  })

  it('say nothing where they were not', async () => {
    const [, port] = await started(FETCH, {})
    expect((await ask({ port }, { headers })).body).toBe('http://a/')
  })

  it('are believed over a UNIX socket', async () => {
    const path = `${temporaryFolder()}/sock`
    const worker = startWorker({
      file: app(FETCH),
      bind: [{ kind: 'unix', path }],
      settings: { forwardedAllowIps: [] },
    })
    await worker.told('ready')
    expect((await ask({ path }, { headers: { host: 'a', 'x-forwarded-proto': 'https' } })).body).toBe('https://a/')
  })
})

describe('readyPath', () => {
  it.each([
    ['TLS', TLS],
    ['the PROXY protocol, version 1', { proxyProtocol: 'v1' }],
    ['the PROXY protocol, version 2', { proxyProtocol: 'v2' }],
    ['both', { ...TLS, proxyProtocol: 'v2' }],
  ])('is asked through %s', async (_, settings) => {
    const [worker] = await started(TELL, settings)
    worker.say({ kind: 'probe', path: '/health' })
    expect(await worker.told('probed')).toEqual({ kind: 'probed', passed: true, text: 'GET /health was answered 200' })
  })
})

describe('a limit', () => {
  it("that is set holds, and one that is not gives way to the app's own", async () => {
    const text = `
      const http = require('node:http')
      http.createServer({ maxHeaderSize: 40_000 }, (req, res) => res.end('ok')).listen(3000)`
    const headers = { host: 'a', 'x-long': 'x'.repeat(30_000) }
    const [, roomy] = await started(text, {})
    expect((await ask({ port: roomy }, { headers })).status).toBe(200)
    const [, strict] = await started(text, { limitRequestFieldSize: 1_000, explicit: ['limitRequestFieldSize'] })
    expect((await ask({ port: strict }, { headers })).status).toBe(431)
  })
})
