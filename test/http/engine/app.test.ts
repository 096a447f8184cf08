/** What apps and frameworks do with a server and its sockets, besides answering requests. */
import { AsyncLocalStorage } from 'node:async_hooks'
import diagnostics from 'node:diagnostics_channel'
import EventEmitter, { once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import { Duplex } from 'node:stream'
import { attach } from '../../../lib/http/attach.ts'
import { CONNECTION, type ServerSocket } from '../../../lib/http/node.ts'
import { converse } from '../../support/http.ts'

const servers: http.Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    if (server.listening) await once(server.close(), 'close')
  }
})

async function listening<S extends http.Server>(server: S): Promise<{ port: number; server: S }> {
  servers.push(server)
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  return { port: (server.address() as net.AddressInfo).port, server }
}

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

test('A context entered in one request is not seen in the next of the connection, nor in pipelined ones.', async () => {
  const storage = new AsyncLocalStorage<string>()
  const server = http.createServer((req, res) => {
    const before = storage.getStore()
    storage.enterWith(req.url!)
    setImmediate(() => {
      req.resume().on('end', () => res.end(`${before} ${storage.getStore()}\n`))
    })
  })
  attach(server)
  const client = await converse(await listening(server))
  client.send(get('/1') + get('/2'))
  await client.until('undefined /2\n')
  client.send(`POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab`)
  client.send('cd')
  await client.until('undefined /3\n')
  expect(client.received).toContain('undefined /1\n')
})

test('Requests are counted against maxRequestsPerSocket as they come, whichever waits for its preRequest longer.', async () => {
  const server = http.createServer((req, res) => res.end(`served ${req.url}`))
  server.maxRequestsPerSocket = 1
  attach(server, { onRequest: ({ url }) => (url === '/1' ? (go) => setImmediate(go) : undefined) })
  const client = await converse(await listening(server))
  client.send(get('/1') + get('/2'))
  await client.closed()
  expect(client.received).toMatch(/^HTTP\/1\.1 200[\s\S]*served \/1/)
  expect(client.received).not.toContain('served /2')
})

test('Each of many pipelined responses may listen to the socket until it has left: never more than may unwarned.', async () => {
  const most: number[] = []
  const server = http.createServer((_req, res) => {
    const socket = res.socket!
    const idle = (): void => {}
    socket.on('close', idle)
    most.push(socket.listenerCount('close') - socket.getMaxListeners())
    res.on('finish', () => socket.off('close', idle))
    res.end('served\n')
  })
  attach(server)
  const client = await converse(await listening(server))
  client.send(get('/').repeat(40) + get('/', 'Connection: close\r\n'))
  await client.closed()
  expect(client.received.match(/served/g)).toHaveLength(41)
  expect(Math.max(...most)).toBeLessThanOrEqual(0)
})

test('A request that waited for its turn does not run in the context of the one before it.', async () => {
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const server = http.createServer((_req, res) => {
    seen.push(storage.getStore())
    storage.run('of a request', () => setImmediate(() => res.end('x'.repeat(9))))
  })
  attach(server)
  const client = await converse(await listening(server))
  client.send(get('/').repeat(300) + get('/', 'Connection: close\r\n'))
  await client.closed()
  expect(seen).toEqual(new Array(301).fill(undefined))
})

describe('A response that is sent brings about in no context of its own', () => {
  async function seenBehind(bytes: string): Promise<string[]> {
    const storage = new AsyncLocalStorage<string>()
    const seen: string[] = []
    const see = (what: string) => seen.push(`${what} ${storage.getStore()}`)
    const server = http.createServer((req, res) => {
      if (req.url === '/waits') {
        res.on('finish', () => see('finish')).on('close', () => see('close'))
        res.end('it waited')
      } else {
        storage.run('of a request', () => setImmediate(() => res.setHeader('X-Late', 'yes').end()))
        if (req.url === '/last') res.shouldKeepAlive = false
      }
    })
    server.on('upgrade', (_req, socket) => {
      see('upgrade')
      socket.end()
    })
    server.on('clientError', (_error, socket) => {
      see('clientError')
      socket.destroy()
    })
    attach(server)
    const client = await converse(await listening(server))
    client.send(bytes)
    await client.closed()
    await once(server.close(), 'close')
    return seen
  }

  test('an upgrade.', async () => {
    const bytes = get('/') + get('/', 'Connection: upgrade\r\nUpgrade: x\r\n')
    expect(await seenBehind(bytes)).toEqual(['upgrade undefined'])
  })

  test('an error.', async () => {
    expect(await seenBehind(`${get('/')}BAD\r\n\r\n`)).toEqual(['clientError undefined'])
  })

  test('the end of the next response.', async () => {
    const bytes = get('/') + get('/waits', 'Connection: close\r\n')
    expect(await seenBehind(bytes)).toEqual(['finish undefined', 'close undefined'])
  })

  test('the end of a response that will not be sent.', async () => {
    expect(await seenBehind(get('/last') + get('/waits'))).toEqual(['close undefined'])
  })
})

test('The diagnostics channels of Node are published to.', async () => {
  const heard: string[] = []
  const hear = (message: unknown, name: string | symbol) =>
    heard.push(`${String(name)} ${Object.keys(message as object)}`)
  const names = ['net.server.socket', 'http.server.request.start', 'http.server.response.finish']
  for (const name of names) diagnostics.subscribe(name, hear)
  const server = http.createServer((_req, res) => res.end())
  attach(server)
  const client = await converse(await listening(server))
  client.send(get('/', 'Connection: close\r\n'))
  await client.closed()
  for (const name of names) diagnostics.unsubscribe(name, hear)
  expect(heard.filter((line) => line.includes('http.server'))).toEqual([
    'http.server.request.start request,response,socket,server',
    'http.server.response.finish request,response,socket,server',
  ])
  expect(heard).toContain('net.server.socket socket')
})

describe.each([
  ['before listen', false],
  ['after listen', true],
])('attached %s', (_when, after) => {
  async function attached<S extends http.Server>(server: S) {
    if (!after) attach(server)
    const where = await listening(server)
    if (after) attach(server)
    return where
  }

  test('A subclass of http.Server is served, with its own classes of messages.', async () => {
    class Incoming extends http.IncomingMessage {
      readonly own = 'incoming'
    }
    class Response extends http.ServerResponse<Incoming> {
      readonly own = 'response'
    }
    class Server extends http.Server {}
    const { port } = await attached(
      new Server({ IncomingMessage: Incoming, ServerResponse: Response as never }, (req, res) => {
        res.end(`${(req as Incoming).own} ${(res as unknown as Response).own} ${res instanceof http.ServerResponse}`)
      }),
    )
    const client = await converse({ port })
    client.send(get('/', 'Connection: close\r\n'))
    expect(await client.closed()).toContain('incoming response true')
  })

  test('A server made by http.Server.call(this) is served.', async () => {
    function Old(this: http.Server) {
      Reflect.apply(http.Server, this, [])
      this.on('request', (_req, res) => res.end('old'))
    }
    Object.setPrototypeOf(Old.prototype, http.Server.prototype)
    const { port } = await attached(Reflect.construct(Old, []) as http.Server)
    const client = await converse({ port })
    client.send(get('/', 'Connection: close\r\n'))
    expect(await client.closed()).toContain('old')
  })
})

test('A server can be closed and listen again.', async () => {
  const server = http.createServer((_req, res) => res.end('again'))
  attach(server)
  await listening(server)
  await once(server.close(), 'close')
  const client = await converse(await listening(server))
  client.send(get('/', 'Connection: close\r\n'))
  expect(await client.closed()).toContain('again')
})

test('getConnections, socket.server, maxConnections and drop work as on any server.', async () => {
  const dropped: unknown[] = []
  const server = http.createServer((req, res) =>
    res.end(String((req.socket as { server?: unknown }).server === server)),
  )
  server.maxConnections = 1
  server.on('drop', (data) => dropped.push(data))
  attach(server)
  const where = await listening(server)
  const client = await converse(where)
  client.send(get('/'))
  await client.until('true')
  expect(await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(1)
  const second = await converse(where)
  expect(await second.closed()).toBe('')
  expect(dropped).toEqual([expect.objectContaining({ localAddress: '127.0.0.1' })])
})

test('A Duplex that the app emits as a connection is served.', async () => {
  const server = http.createServer((req, res) => res.end(req.url))
  attach(server)
  let sent = ''
  const duplex = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      sent += chunk
      done()
    },
  })
  const ended = once(duplex, 'finish')
  server.emit('connection', duplex)
  duplex.push(get('/duplex', 'Connection: close\r\n'))
  await ended
  expect(sent).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\/duplex$/)
})

test('A listener that looks at the bytes of a connection sees them, and the request is served.', async () => {
  const server = http.createServer((req, res) => res.end(`answer to ${req.url}`))
  attach(server)
  let seen = ''
  server.on('connection', (socket: net.Socket) => {
    socket.on('data', (data) => {
      seen += data
    })
  })
  const client = await converse(await listening(server))
  client.send(get('/1'))
  await client.until('answer to /1')
  client.send(get('/2', 'Connection: close\r\n'))
  expect(await client.closed()).toContain('answer to /2')
  expect(seen).toBe(get('/1') + get('/2', 'Connection: close\r\n'))
})

test('setEncoding on a connection throws as in Node, and works after an upgrade.', async () => {
  const server = http.createServer((req, res) => {
    try {
      req.socket.setEncoding('utf8')
    } catch (error) {
      res.end((error as NodeJS.ErrnoException).code)
    }
  })
  server.on('upgrade', (_req, socket) => {
    socket.setEncoding('utf8')
    socket.write('upgraded')
    socket.on('data', (text: string) => socket.end(typeof text))
  })
  attach(server)
  const client = await converse(await listening(server))
  client.send(get('/'))
  await client.until('ERR_HTTP_SOCKET_ENCODING')
  client.send(get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'))
  await client.until('upgraded')
  client.send('more')
  expect(await client.closed()).toContain('string')
})

test('Tracers that replace server.emit see every event.', async () => {
  const server = http.createServer((_req, res) => res.end('traced'))
  attach(server)
  const events: unknown[] = []
  const { emit } = server
  server.emit = function (this: http.Server, event: string, ...args: unknown[]) {
    events.push(event)
    return Reflect.apply(emit, this, [event, ...args])
  } as typeof server.emit
  const client = await converse(await listening(server))
  client.send(get('/', 'Connection: close\r\n'))
  await client.closed()
  expect(events).toEqual(expect.arrayContaining(['connection', 'request']))
})

test('An error that a listener throws does not lose the requests behind it.', async () => {
  const server = http.createServer((req, res) => {
    res.end(`${req.url}\n`)
    if (req.url === '/throws') throw new Error('from a listener')
  })
  attach(server)
  const where = await listening(server)
  const [client, [socket]] = await Promise.all([converse(where), once(server, 'connection') as Promise<[ServerSocket]>])
  const bytes = Buffer.from(get('/throws') + get('/behind', 'Connection: close\r\n'))
  expect(() => socket[CONNECTION]!.receive(bytes, 0, bytes.length)).toThrow('from a listener')
  expect(await client.closed()).toMatch(/\/throws\n[\s\S]*\/behind\n$/)
})

test('An error that a listener throws behind a PROXY header makes no request of what it did not let us read.', async () => {
  const seen: unknown[] = []
  const server = http.createServer((req, res) => {
    seen.push(req.url)
    res.end()
    throw new Error('from a listener')
  })
  attach(server, { proxy: { mode: 'v1', trusts: () => true } })
  const where = await listening(server)
  const [client, [socket]] = await Promise.all([converse(where), once(server, 'connection') as Promise<[ServerSocket]>])
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
  // As long as the header, so that it would begin where that ends.
  const header = 'PROXY TCP4 1.1.1.1 2.2.2.2 1 11\r\n'
  expect(header).toHaveLength(hidden.length)
  const bytes = Buffer.from(`${header}GET / HTTP/1.1\r\nX: ${hidden}`)
  expect(() => socket[CONNECTION]!.receive(bytes, 0, bytes.length)).toThrow('from a listener')
  client.socket.end()
  await client.closed()
  expect(seen).toEqual(['/'])
})

test('The context of listen() is there in connections and requests, and what a subscriber enters is of its request alone.', async () => {
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const server = http.createServer((req, res) => {
    seen.push(`${req.url} ${storage.getStore()}`)
    res.end()
  })
  attach(server)
  server.prependListener('connection', () => seen.push(`connection ${storage.getStore()}`))
  const enter = (message: unknown) => {
    if ((message as { request: http.IncomingMessage }).request.url === '/entered') storage.enterWith('entered')
  }
  diagnostics.subscribe('http.server.request.start', enter)
  const client = await converse(await storage.run('listening', () => listening(server)))
  client.send(get('/first') + get('/entered') + get('/last', 'Connection: close\r\n'))
  await client.closed()
  diagnostics.unsubscribe('http.server.request.start', enter)
  expect(seen).toEqual(['connection listening', '/first listening', '/entered entered', '/last listening'])
})

test('captureRejections answers for a handler that rejects.', async () => {
  EventEmitter.captureRejections = true
  const server = http.createServer()
  EventEmitter.captureRejections = false
  server.on('request', () => Promise.reject(new Error('rejected')))
  attach(server)
  const client = await converse(await listening(server))
  client.send(get('/', 'Connection: close\r\n'))
  expect(await client.closed()).toContain('500 Internal Server Error')
})

test('A tunnel of CONNECT that the app gives back as a connection is served, with what came behind the head.', async () => {
  const server = http.createServer((req, res) => res.end(`inner ${req.url}`))
  server.on('connect', (_req, socket: net.Socket, head) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    socket.unshift(head)
    server.emit('connection', socket)
  })
  attach(server)
  const client = await converse(await listening(server))
  client.send(`CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n${get('/1')}`)
  await client.until('inner /1')
  client.send(get('/2', 'Connection: close\r\n'))
  expect(await client.closed()).toContain('inner /2')
})

test('A listener that came before the engine took the connection over sees its bytes.', async () => {
  const server = http.createServer((req, res) => res.end(`answer to ${req.url}`))
  attach(server)
  let seen = ''
  server.prependListener('connection', (socket: net.Socket) => {
    socket.on('data', (data) => {
      seen += data
    })
  })
  const client = await converse(await listening(server))
  client.send(get('/1', 'Connection: close\r\n'))
  expect(await client.closed()).toContain('answer to /1')
  expect(seen).toBe(get('/1', 'Connection: close\r\n'))
})

test('server.close() ends connections that have sent nothing, as Node does since 26.', async () => {
  const server = http.createServer()
  attach(server)
  const where = await listening(server)
  const [client] = await Promise.all([converse(where), once(server, 'connection')])
  await once(server.close(), 'close')
  expect(await client.closed()).toBe('')
})
