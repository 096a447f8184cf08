/** The same bytes to the same app: under the engine everybody sees what they see under node:http. */
import { AsyncLocalStorage } from 'node:async_hooks'
import diagnostics from 'node:diagnostics_channel'
import type http from 'node:http'
import type net from 'node:net'
import { play, type Scenario } from './transcript.ts'

const CLOSE = 'Connection: close\r\n\r\n'
const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const LAST = get('/last', 'Connection: close\r\n')

const storage = new AsyncLocalStorage<string | undefined>()

const tellBytes: Scenario['setup'] = (server, log) =>
  server.on('clientError', (error: NodeJS.ErrnoException & { bytesParsed?: number; rawPacket?: Buffer }, socket) => {
    log(`${error.code} ${error.bytesParsed} ${JSON.stringify(error.rawPacket?.toString('latin1'))}`)
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })

const SCENARIOS: Record<string, Scenario> = {
  'a GET': { send: [LAST] },
  'a GET in HTTP/1.0': { send: ['GET /a?b=c HTTP/1.0\r\n\r\n'] },
  'a GET in HTTP/1.0 that is kept alive': {
    send: ['GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'GET /b HTTP/1.0\r\n\r\n'],
  },
  'repeated header fields': {
    send: [
      get(
        '/',
        `Cookie: a=1\r\nCookie: b=2\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nAge: 1\r\nAge: 2\r\n${CLOSE.slice(0, -2)}`,
      ),
    ],
  },
  joinDuplicateHeaders: {
    options: { joinDuplicateHeaders: true },
    send: [get('/', `Age: 1\r\nAge: 2\r\n${CLOSE.slice(0, -2)}`)],
  },
  'white space around values, and latin1': { send: [get('/', `X-A: \t a\xe9b \t\r\nX-B:\r\n${CLOSE.slice(0, -2)}`)] },
  'a POST with Content-Length': { send: [`POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n${CLOSE}hello`] },
  'a chunked POST with trailers': {
    send: [
      `POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${CLOSE}3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\nx-t: 2\r\n\r\n`,
    ],
  },
  'keep-alive, one request after the other': {
    send: [
      get('/1'),
      (received) => received.includes('"/1"'),
      get('/2'),
      (received) => received.includes('"/2"'),
      LAST,
    ],
  },
  'pipelined requests': { send: [get('/1') + get('/2') + get('/3') + LAST] },
  'pipelined POSTs with bodies of both kinds': {
    send: [
      'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPOST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n' +
        LAST,
    ],
  },
  'pipelined requests answered in reverse': {
    send: [get('/1') + get('/2') + get('/3', 'Connection: close\r\n')],
    setup(server) {
      const open: (() => void)[] = []
      server.removeAllListeners('request')
      server.on('request', (req, res) => {
        open.push(() => res.end(req.url))
        if (open.length === 3) for (const answer of open.reverse()) answer()
      })
    },
  },
  HEAD: { send: [`HEAD / HTTP/1.1\r\nHost: a\r\n${CLOSE}`], handler: (_req, res) => res.end('body') },
  '204 and 304': {
    send: [get('/204') + get('/304') + LAST],
    handler(req, res) {
      res.statusCode = Number(req.url!.slice(1)) || 200
      res.end()
    },
  },
  'a chunked response with trailers': {
    send: [LAST],
    handler(_req, res) {
      res.setHeader('Trailer', 'X-T')
      res.write('a')
      res.addTrailers({ 'X-T': '1' })
      res.end('b')
    },
  },
  'early hints and 102': {
    send: [LAST],
    handler(_req, res) {
      res.writeProcessing()
      res.writeEarlyHints({ link: '</a.css>; rel=preload' })
      res.end()
    },
  },
  'Expect: 100-continue': {
    send: [
      `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n${CLOSE}`,
      (received) => received.includes('100 Continue'),
      'hi',
    ],
  },
  'checkContinue that refuses': {
    send: ['POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n'],
    setup: (server) => server.on('checkContinue', (_req, res) => res.writeHead(403).end()),
  },
  checkExpectation: {
    send: [`GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n${CLOSE}`],
    setup: (server) => server.on('checkExpectation', (req, res) => res.end(req.headers.expect)),
  },
  'requireHostHeader: false': { options: { requireHostHeader: false }, send: [`GET / HTTP/1.1\r\n${CLOSE}`] },
  uniqueHeaders: {
    options: { uniqueHeaders: ['X-U'] },
    send: [LAST],
    handler: (_req, res) => res.setHeader('X-U', ['a', 'b']).end(),
  },
  'an upgrade, with what was sent behind it': {
    send: [
      get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n') + 'first',
      (received) => received.includes('first'),
      'second',
    ],
    until: 'second',
    setup(server, log) {
      server.on('upgrade', (req, socket, head) => {
        log(`${req.url} ${(req as { upgrade?: boolean }).upgrade} ${req.complete} ${head}`)
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${head}`)
        socket.on('data', (data) => socket.write(data))
        socket.on('end', () => socket.end())
      })
    },
  },
  'an upgrade that nobody listens for': {
    send: [get('/', `Connection: Upgrade, close\r\nUpgrade: echo\r\n`)],
  },
  CONNECT: {
    send: ['CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\nfirst'],
    setup: (server) =>
      server.on('connect', (req, socket, head) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${req.url} ${head}`)),
  },
  'the life of a request and its response': {
    send: [get('/'), (received) => received.includes('done'), get('/', 'Connection: close\r\n')],
    handler(req, res, log) {
      for (const event of ['end', 'close', 'aborted', 'error']) req.on(event, () => log(`req ${event} ${req.complete}`))
      for (const event of ['prefinish', 'finish', 'close'])
        res.on(event, () => log(`res ${event} ${res.writableFinished}`))
      res.end('done')
    },
  },
  'a client that goes away': {
    send: ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc', (received) => received.includes('head')],
    until: 'head',
    setup: (server, log) => server.on('close', () => log('server close')),
    handler(req, res, log) {
      req.on('aborted', () => log('req aborted'))
      req.on('error', (error: NodeJS.ErrnoException) => log(`req ${error.code} ${error.message}`))
      req.on('close', () => log(`req close ${req.aborted} ${req.destroyed}`))
      res.on('close', () => log(`res close ${res.writableFinished} ${res.destroyed}`))
      res.write('head')
    },
  },
  'what a clientError listener is told of the bytes, of a head': {
    send: [get('/'), (received) => received.includes('"/"'), 'GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n'],
    setup: tellBytes,
  },
  'what a clientError listener is told of the bytes, of a body': {
    send: [
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n',
      (received) => received.includes('100 Continue'),
      '2\r\ncd\r\nX\r\n',
    ],
    setup: tellBytes,
    handler(req, res) {
      req.resume()
      res.writeContinue()
    },
  },
  'a response that ends the connection before others that wait': {
    send: [get('/1') + get('/2')],
    handler(req, res, log) {
      if (req.url === '/1') setImmediate(() => res.setHeader('Connection', 'close').end('one'))
      else for (const event of ['aborted', 'error', 'close']) req.on(event, () => log(`req ${event}`))
    },
  },
  'listeners on a request whose response is finished': {
    send: [LAST],
    handler(req, res, log) {
      res.on('finish', () => req.on('end', () => log('end')))
      res.on('close', () => req.on('close', () => log(`close ${req.readableEnded}`)))
      res.end()
    },
  },
  'a client that leaves in a body that nobody reads any more': {
    send: ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc', (received) => received.includes('enough')],
    until: 'enough',
    handler(req, res, log) {
      for (const event of ['aborted', 'error', 'close']) req.on(event, () => log(`req ${event}`))
      res.end('enough')
    },
  },
  'an upgrade behind a long response, whose app reads later': {
    send: [
      get('/long') + get('/up', 'Connection: upgrade\r\nUpgrade: x\r\n'),
      (received) => received.includes('switched'),
      'hello',
    ],
    until: 'heard hello',
    handler: (_req, res) => res.end(Buffer.alloc(3_000_000, '.')),
    setup(server, log) {
      server.on('upgrade', (_req, socket) => {
        socket.write('switched')
        setImmediate(() =>
          setImmediate(() => {
            log(`flowing ${socket.readableFlowing}`)
            socket.on('data', (data: Buffer) => socket.write(`heard ${data}`)).on('end', () => socket.end())
          }),
        )
      })
    },
  },
  'a body that is read when more has come, of a connection that somebody watches': {
    send: [
      `POST /watched HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n${'m'.repeat(30)}`,
      (received) => received.includes('begun'),
      get('/next', `X-Long: ${'n'.repeat(200)}\r\nConnection: close\r\n`),
    ],
    handler(req, res) {
      if (req.url === '/next') return void res.end()
      res.write('begun')
      req.socket.once('data', () => setImmediate(() => req.on('data', (data) => res.end(data))))
    },
  },
  'halves of a surrogate pair': {
    send: [LAST],
    handler(_req, res) {
      res.setHeader('Content-Length', 6)
      res.write('\ud83d')
      res.end('\ude00')
    },
  },
  'shouldUpgradeCallback is asked with a request that would be an upgrade': {
    options: {
      shouldUpgradeCallback: (req: http.IncomingMessage & { upgrade: boolean; asked?: boolean }) => {
        req.asked = req.upgrade
        return false
      },
    } as http.ServerOptions,
    send: [get('/', 'Connection: upgrade, close\r\nUpgrade: x\r\n')],
    setup: (server) => server.on('upgrade', (_req, socket) => socket.destroy()),
    handler(req, res) {
      const { asked, upgrade } = req as { asked?: boolean; upgrade?: boolean }
      res.end(`${asked} ${upgrade}`)
    },
  },
  'maxConnections of zero': {
    send: [LAST],
    setup(server, log) {
      server.maxConnections = 0
      server.on('drop', () => log('drop'))
    },
    handler: (_req, res) => res.end('served'),
  },
  'what the app takes back of keepAlive and noDelay': {
    options: { keepAlive: true, keepAliveInitialDelay: 2000 },
    send: [LAST],
    handler(req, res, log) {
      const { _handle: handle } = req.socket as unknown as { _handle: Record<string, (...args: unknown[]) => unknown> }
      for (const method of ['setKeepAlive', 'setNoDelay']) {
        const original = handle[method]!
        handle[method] = (...args) => {
          log(`${method} ${args}`)
          return original.apply(handle, args)
        }
      }
      req.socket.setKeepAlive(true, 2000).setKeepAlive(false).setNoDelay(true).setNoDelay(false)
      res.end()
    },
  },
  'bytes that the app puts before those of the client': {
    send: [' /unshifted HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    setup: (server) => server.on('connection', (socket) => socket.unshift(Buffer.from('GET'))),
  },
  'the context in which a socket closes': {
    send: [LAST],
    handler: (req, res, log) =>
      storage.run('of the request', () => {
        req.socket.on('close', () => log(`close ${storage.getStore()}`))
        setImmediate(() => res.end())
      }),
  },
  'an error that the app emits, and those that follow from it': {
    send: [get('/')],
    setup: (server, log) =>
      server.on('clientError', (error, socket) => {
        log(`clientError ${error.message}`)
        socket.destroy(error)
      }),
    handler(req, _res, log) {
      req.socket.on('error', (error) => log(`error ${error.message}`))
      req.socket.emit('error', new Error('emitted'))
    },
  },
  'what a subscriber of http.server.request.start does with the response': {
    send: [LAST],
    setup(server, log) {
      type Message = {
        readonly server: http.Server
        readonly request: http.IncomingMessage
        response: http.ServerResponse
      }
      const subscriber = (message: unknown) => {
        const { server: of, response } = message as Message
        if (of !== server) return
        log(`start ${response.socket}`)
        response.on('socket', (socket: net.Socket) => log(`socket ${response.socket === socket}`))
        response.on('finish', () => log(`finish ${response.socket !== null}`))
        response.end('of the subscriber')
      }
      diagnostics.subscribe('http.server.request.start', subscriber)
      server.on('close', () => diagnostics.unsubscribe('http.server.request.start', subscriber))
    },
    handler: (_req, res, log) => log(`handler ${res.writableEnded}`),
  },
  optimizeEmptyRequests: {
    options: { optimizeEmptyRequests: true } as http.ServerOptions,
    send: [
      get('/'),
      (received) => received.includes('done'),
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    ],
    handler(req, res, log) {
      log(`${req.readableEnded} ${req.destroyed} ${req.closed} ${req.readable}`)
      for (const event of ['end', 'close']) req.on(event, () => log(event))
      req.resume()
      setImmediate(() => res.end('done'))
    },
  },
}

test.each(Object.entries(SCENARIOS))('%s', async (_title, scenario) => {
  const node = await play('node', scenario)
  const engine = await play('engine', scenario)
  expect(engine).toEqual(node)
})
