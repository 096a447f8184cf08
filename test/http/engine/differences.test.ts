/**
 * Where the engine is not like node:http, and why. Every row shows what a client and the app see of the engine; that
 * node:http shows something else is checked too, so that a row that Node has caught up with is found.
 */
import { ms } from '../../../lib/units.ts'
import { play, type Scenario, type Transcript } from './transcript.ts'

type Difference = Scenario & {
  readonly why: string
  readonly shows: Transcript
  /** What Node shows hangs on who is faster. */
  readonly race?: boolean
}

const CLOSE = 'Connection: close\r\n'
const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const answer = (status: string, text: string) =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`
const ok = (text: string, connection = 'keep-alive\r\nKeep-Alive: timeout=5') =>
  `HTTP/1.1 200 OK\r\nConnection: ${connection}\r\nContent-Length: ${text.length}\r\n\r\n${text}`
const own: Scenario['handler'] = (req, res) => res.end(req.url)
const later: Scenario['handler'] = (req, res) => setImmediate(() => res.end(req.url))

const DIFFERENCES: Record<string, Difference> = {
  'bytes after a request with Connection: close': {
    why: 'Node loses the response to a 400 (nodejs/node#53076)',
    send: [`${get('/', CLOSE)}garbage\x00`],
    handler: later,
    shows: { received: `${ok('/', 'close')}<end>`, events: [] },
  },
  'an error in the second of two pipelined requests': {
    why: 'Node loses the first response',
    send: [`${get('/1')}GET /2 HTTP/1.1\r\nHost a\r\n\r\n`],
    handler: later,
    shows: {
      received: `${ok('/1')}${answer('400 Bad Request', 'A header field name is not a token directly followed by a colon.')}<end>`,
      events: [],
    },
  },
  'a client that half-closes behind its request': {
    why: 'Node closes without an answer (httpAllowHalfOpen is false)',
    send: [get('/'), null],
    handler: (req, res) => req.socket.once('end', () => setImmediate(() => res.end(req.url))),
    shows: { received: `${ok('/')}<end>`, events: [] },
  },
  'a client that half-closes and is never answered': {
    race: true,
    why: 'its handler is told after disconnectGrace, not at once',
    send: [get('/'), null],
    engine: { disconnectGrace: ms(20) },
    handler(req, res, log) {
      const start = performance.now()
      res.on('close', () => log(`close ${req.aborted} ${performance.now() - start >= 20}`))
    },
    shows: { received: '<end>', events: ['close true true'] },
  },
  'no Host': {
    why: 'Node sends a 400 without body and tells no clientError listener',
    send: ['GET / HTTP/1.1\r\n\r\n'],
    setup: (server, log) =>
      server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        log(`${error.code} ${socket.writable}`)
        socket.destroy()
      }),
    shows: { received: '<end>', events: ['ERR_HTTP_HOST_MISSING true'] },
  },
  'two Hosts': {
    why: 'RFC 9112 §3.2',
    send: [get('/', `Host: b\r\n${CLOSE}`)],
    shows: { received: `${answer('400 Bad Request', 'The Host header field is repeated.')}<end>`, events: [] },
  },
  'an unknown method': {
    why: '501 (RFC 9110 §9.1), answered by the engine before a listener hears of it',
    send: ['BREW / HTTP/1.1\r\nHost: a\r\n\r\n'],
    setup: (server, log) =>
      server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        log(`${error.code} ${socket.writable}`)
        socket.end('never sent')
      }),
    shows: {
      received: `${answer('501 Not Implemented', 'The method is not implemented.')}<end>`,
      events: ['HPE_INVALID_METHOD false'],
    },
  },
  'HTTP/2.0': {
    why: '505 (RFC 9110 §15.6.6)',
    send: ['GET / HTTP/2.0\r\nHost: a\r\n\r\n'],
    shows: {
      received: `${answer('505 HTTP Version Not Supported', 'The HTTP version is not supported.')}<end>`,
      events: [],
    },
  },
  'a request line that is too long': {
    why: '414 (RFC 9112 §3)',
    send: [get(`/${'x'.repeat(20_000)}`)],
    shows: { received: `${answer('414 URI Too Long', 'The request line is too long.')}<end>`, events: [] },
  },
  'more fields than maxHeadersCount': {
    why: '431 on all versions, with a text; Node 20 leaves the rest out',
    send: [get('/', 'A: 1\r\nB: 2\r\n')],
    setup(server) {
      server.maxHeadersCount = 2
    },
    shows: {
      received: `${answer('431 Request Header Fields Too Large', 'The request has too many header fields.')}<end>`,
      events: [],
    },
  },
  'CONNECT without a listener': {
    why: 'Node closes without a word',
    send: ['CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n'],
    shows: { received: `${answer('501 Not Implemented', 'CONNECT is not implemented.')}<end>`, events: [] },
  },
  'an absolute target': {
    why: 'its authority takes the place of Host (RFC 9112 §3.2.2); rawHeaders show what came',
    send: [`GET http://b:8/c HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`],
    handler: (req, res) => res.end(`${req.url} ${req.headers.host} ${req.rawHeaders[1]} ${req.headersDistinct.host}`),
    shows: { received: `${ok('http://b:8/c b:8 a b:8', 'close')}<end>`, events: [] },
  },
  'an expectation that cannot be met': {
    why: 'the same 417, with a text',
    send: [get('/', `Expect: wonders\r\n${CLOSE}`)],
    shows: {
      received:
        'HTTP/1.1 417 Expectation Failed\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 34\r\n\r\nOnly 100-continue can be expected.<end>',
      events: [],
    },
  },
  'more requests than maxRequestsPerSocket': {
    why: 'the same 503, with a text',
    send: [get('/1') + get('/2') + get('/3')],
    setup(server, log) {
      server.maxRequestsPerSocket = 2
      server.on('dropRequest', (req) => log(`drop ${req.url}`))
    },
    shows: {
      received: `${ok('/1', 'keep-alive\r\nKeep-Alive: timeout=5, max=2')}${ok('/2', 'close')}HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 53\r\n\r\nThe connection has served as many requests as it may.<end>`,
      events: ['drop /3'],
    },
  },
  'a body that is wrong, before its response': {
    why: 'the same 400, with a text',
    send: ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nX\r\n'],
    handler(req, res, log) {
      req.on('error', (error: NodeJS.ErrnoException) => log(`req ${error.code}`))
      res.on('close', () => log(`res close ${res.headersSent}`))
    },
    shows: {
      received: `${answer('400 Bad Request', 'A chunk size is not a hexadecimal number below 2^53.')}<end>`,
      events: ['res close false', 'req ECONNRESET'],
    },
  },
  'a body that is wrong, in the read of its head, behind what its response begins with': {
    why: 'Node destroys the socket before what was written has left',
    send: [`${get('/1')}POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nX\r\n`],
    handler(req, res, log) {
      if (req.url === '/1') {
        res.end('/1')
        return
      }
      req.on('error', (error: NodeJS.ErrnoException) => log(`req ${error.code}`))
      res.on('close', () => log(`res close ${res.writableFinished}`))
      res.sendDate = false
      res.writeHead(200, { 'Content-Length': 10 })
      res.write('begun')
    },
    shows: {
      received: `${ok('/1')}HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nbegun<end>`,
      events: ['res close false', 'req ECONNRESET'],
    },
  },
  'a client that half-closes in a request': {
    why: 'the same 400, with a text',
    send: ['GET / HT', null],
    shows: { received: `${answer('400 Bad Request', 'The connection was closed inside a request.')}<end>`, events: [] },
  },
  'a 100 (Continue) to a request whose response waits': {
    why: 'Node writes it between head and body, where it takes the place of bytes of the body',
    send: [`${get('/1')}POST /2 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n${CLOSE}\r\nx`],
    handler(req, res) {
      if (req.url === '/1') req.socket.once('second', () => res.end('/1'))
      else {
        res.end(Buffer.from('/2'))
        req.socket.emit('second')
      }
    },
    shows: { received: `${ok('/1')}HTTP/1.1 100 Continue\r\n\r\n${ok('/2', 'close')}<end>`, events: [] },
  },
  'other interim responses to it, one by one': {
    why: 'as the 100 (Continue)',
    send: [`${get('/1')}${get('/2', CLOSE)}`],
    handler(req, res) {
      if (req.url === '/1') req.socket.once('second', () => res.end('/1'))
      else {
        res.writeProcessing()
        res.writeEarlyHints({ link: '</a>' })
        res.end(Buffer.from('/2'))
        req.socket.emit('second')
      }
    },
    shows: {
      received: `${ok('/1')}HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('/2', 'close')}<end>`,
      events: [],
    },
  },
  'an upgrade behind a request that is not answered yet': {
    why: 'Node hands the socket over while the response before is still to be written',
    send: [`${get('/1')}${get('/2', 'Connection: Upgrade\r\nUpgrade: echo\r\n')}`],
    handler: (req, res) => setTimeout(() => res.end(req.url), 5),
    setup: (server) => server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')),
    shows: { received: `${ok('/1')}HTTP/1.1 101 Switching Protocols\r\n\r\n<end>`, events: [] },
  },
  'more bytes than one request needs, and an answer that closes': {
    why: 'Node resets the connection, which can take the answer from the client',
    race: true,
    send: [`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(60_000)}`],
    handler(_req, res) {
      res.setHeader('Connection', 'close')
      res.end('enough')
    },
    setup: (server, log) => server.on('connection', (socket) => socket.on('close', (error) => log(`close ${error}`))),
    shows: { received: `${ok('enough', 'close')}<end>`, events: ['close false'] },
  },
}

test.each(Object.entries(DIFFERENCES))('%s', async (_title, { shows, why, race, ...scenario }) => {
  expect(why).not.toBe('')
  expect(await play('engine', { handler: own, ...scenario })).toEqual(shows)
  if (!race) expect(await play('node', { handler: own, ...scenario })).not.toEqual(shows)
})
