/** Every row of the table of errors as a client gets it: whole, byte by byte, and at random cuts. */
import http, { STATUS_CODES } from 'node:http'
import { join } from 'node:path'
import { HTTP_ERRORS, type HttpErrorCode } from '../../../lib/http/errors.ts'
import type { Limits } from '../../../lib/http/limits.ts'
import { schemeReader, trust } from '../../../lib/http/proxy/forwarded.ts'
import { fetchHandler } from '../../../lib/worker/app/fetch.ts'
import { converse } from '../../support/http.ts'
import { startNode } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import { OWN_CASES } from '../cases/index.ts'
import { cutsOf } from '../cuts.ts'
import type { ReplayOptions } from '../replay.ts'
import { get, LAST, type Serving, serve } from './serving.ts'

const codes = Object.keys(HTTP_ERRORS) as HttpErrorCode[]
const RANDOM_CUTS = 3

/** Sends the pieces, each in a write of its own, then half-closes if `ends`; all that came. */
async function sent(port: number, bytes: Buffer, cuts: readonly number[], ends: boolean): Promise<string> {
  const client = await converse({ port }, { allowHalfOpen: true })
  client.socket.once('end', () => client.socket.end())
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    const piece = bytes.subarray(from, to)
    // The server may have refused and closed already.
    if (client.socket.writable) await new Promise((resolve) => client.socket.write(piece, resolve))
    from = to
  }
  if (ends) client.socket.end()
  try {
    return await client.closed()
  } finally {
    client.destroy()
  }
}

/** The last response must be this error's, with its text and nothing behind it. */
function expectAnswer(received: string, code: HttpErrorCode): void {
  const { status, text } = HTTP_ERRORS[code]
  const answer = received.slice(received.lastIndexOf('HTTP/1.1 '))
  const [head = '', body] = answer.split('\r\n\r\n')
  const [line, ...fields] = head.split('\r\n')
  expect(line).toBe(`HTTP/1.1 ${status} ${STATUS_CODES[status]}`)
  expect(fields.map((field) => field.toLowerCase())).toEqual(
    expect.arrayContaining(['content-type: text/plain', `content-length: ${text.length}`, 'connection: close']),
  )
  expect(body).toBe(text)
}

type Row = {
  readonly bytes: string
  readonly serving: () => Promise<Serving>
  /** What stands before the answer. */
  readonly before?: RegExp
}

const own: http.RequestListener = (req, res) => void req.resume().on('end', () => res.end(`for ${req.url}`))

/** What the engine finds in something else than the bytes. */
const BY_ENGINE: Partial<Record<HttpErrorCode, Row>> = {
  PROXY_FORBIDDEN: {
    bytes: `PROXY TCP4 192.0.2.7 192.0.2.8 1024 443\r\n${get('/')}`,
    serving: () => serve(own, { proxy: { mode: 'v1', trusts: trust(['10.0.0.0/8']) } }),
    before: /^$/,
  },
  EXPECTATION_FAILED: {
    bytes: `${get('/1')}${get('/2', `Expect: wonders\r\n${LAST}`)}`,
    serving: () => serve(own),
    before: /^HTTP\/1\.1 200 OK\r\n[\s\S]*for \/1$/,
  },
  CONNECT_UNSUPPORTED: {
    bytes: `${get('/1')}CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n`,
    serving: () => serve(own),
    before: /^HTTP\/1\.1 200 OK\r\n[\s\S]*for \/1$/,
  },
  REQUEST_TIMEOUT: {
    bytes: `${get('/1')}GET /2 HTTP/1.1\r\nHost:`,
    serving() {
      const server = http.createServer()
      server.headersTimeout = 300
      return serve(own, {}, server)
    },
    before: /^HTTP\/1\.1 200 OK\r\n[\s\S]*for \/1$/,
  },
  TOO_MANY_REQUESTS: {
    // The second response says that it is the last: what was sent behind it by then is told so.
    bytes: `${get('/1')}${get('/2')}`,
    serving() {
      const server = http.createServer()
      const waiting: http.ServerResponse[] = []
      server.maxRequestsPerSocket = 1
      server.on('dropRequest', () => waiting.pop()?.end('for /1'))
      return serve((_req, res) => void waiting.push(res), {}, server)
    },
    before: /^HTTP\/1\.1 200 OK\r\n[\s\S]*for \/1$/,
  },
  INTERNAL_ERROR: {
    bytes: get('/'),
    serving: () => serve(fetchHandler(() => Promise.reject(new Error('of the app')))),
    before: /^$/,
  },
}

test('A response that has begun and waits for its turn ends the connection, where the body of its request is wrong.', async () => {
  const events: string[] = []
  const open: http.ServerResponse[] = []
  const { port } = await serve((req, res) => {
    if (req.url === '/slow') return void open.push(res)
    res.writeHead(200)
    res.write('begun')
    req.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`))
    res.on('close', () => events.push('close'))
    // What is wrong stands behind it in the same read.
    req.on('data', () => setImmediate(() => open[0]!.end('slow')))
  })
  const client = await converse({ port })
  client.send(`${get('/slow')}POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n`)
  expect(await client.closed()).toMatch(/slow[\s\S]*\r\n\r\n5\r\nbegun\r\n$/)
  expect(events.toSorted()).toEqual(['close', 'error ECONNRESET'])
})

test('A response that was ended before the body of its request came leaves whole, where that is wrong.', async () => {
  const large = 'x'.repeat(2_000_000)
  const open: http.ServerResponse[] = []
  const { port } = await serve((req, res) => {
    req.on('error', () => {})
    if (req.url === '/slow') open.push(res)
    else res.end(large)
  })
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n'
  for (const before of ['', get('/slow')]) {
    const client = await converse({ port })
    client.send(before + post)
    // Where it waits for its turn: the first is answered when the wrong body has been read.
    if (before !== '') await until(() => open.length === 1).then(() => setImmediate(() => open[0]!.end('slow')))
    expect((await client.closed()).endsWith(`\r\n\r\n${large}`)).toBe(true)
  }
})

test('Every error that the engine finds has a row here.', () => {
  const found = codes.filter((code) => HTTP_ERRORS[code].by === 'engine')
  expect(Object.keys(BY_ENGINE).sort()).toEqual(found.sort())
})

test.each(Object.entries(BY_ENGINE) as [HttpErrorCode, Row][])(
  '%s is answered however its request is cut.',
  async (code, row) => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {})
    const { port } = await row.serving()
    const bytes = Buffer.from(row.bytes, 'latin1')
    for (const cuts of cutsOf(bytes.length, 3, RANDOM_CUTS)) {
      const received = await sent(port, bytes, cuts, false)
      expectAnswer(received, code)
      expect(received.slice(0, received.lastIndexOf('HTTP/1.1 '))).toMatch(row.before!)
    }
    logged.mockRestore()
  },
)

/** The shortest case of each error that stands in the bytes. */
const BY_BYTES = codes
  .filter((code) => HTTP_ERRORS[code].by === 'bytes')
  .map((code) => {
    const cases = OWN_CASES.filter(({ error }) => error === code)
    return [code, cases.sort((one, other) => one.raw.length - other.raw.length)[0]!] as const
  })

test.each(BY_BYTES)('%s is answered however its request is cut.', async (code, { raw, options = {} }) => {
  const { port } = await serve(own, engineOptions(options))
  const bytes = Buffer.from(raw, 'latin1')
  for (const cuts of cutsOf(bytes.length, 4, RANDOM_CUTS)) expectAnswer(await sent(port, bytes, cuts, true), code)
})

/** The words of a replay in those of the engine. */
function engineOptions({ proxyProtocol, secureSchemeHeaders, ...rules }: ReplayOptions) {
  const limits = Object.fromEntries(Object.entries(rules).filter(([name]) => name.startsWith('limit')))
  const scheme = secureSchemeHeaders && schemeReader(secureSchemeHeaders)
  return {
    limits: limits as Partial<Limits>,
    parser: rules,
    ...(proxyProtocol && { proxy: { mode: proxyProtocol, trusts: trust(['127.0.0.1']) } }),
    ...(scheme && {
      refuse(rawHeaders: readonly string[]) {
        const found = scheme(rawHeaders)
        return typeof found === 'object' ? found : null
      },
    }),
  }
}

test.each([
  [500, 600, '431'],
  [500, 100, '200'],
  [90_000, 80_000, '200'],
])('With --max-http-header-size=%i a field of %i bytes is answered with %s.', async (size, field, status) => {
  const env = { ...process.env, NODE_OPTIONS: `--max-http-header-size=${size}` }
  const program = startNode(join(__dirname, 'held.js'), [], { env })
  const client = await converse({ port: Number((await program.line(/^port (\d+)$/m))[1]) })
  client.send(get('/', `X-Long: ${'x'.repeat(field)}\r\n${LAST}`))
  expect((await client.closed()).slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
})
