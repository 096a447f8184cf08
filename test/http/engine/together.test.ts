/** Responses of one turn of the event loop: several clients, in this process, whose requests are read in one turn. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { attach } from '../../../lib/http/attach.ts'
import type { EngineOptions } from '../../../lib/http/engine.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { type Program, startNode } from '../../support/process.ts'
import { get, LAST, listeningAt, serve } from './serving.ts'

const CLIENTS = ['a', 'b', 'c', 'd']

type Company = {
  /** Writes a request of each client at once, so that one turn reads them; gives what each of them received. */
  readonly turn: (path: string, request?: (path: string) => string) => Promise<string[]>
  readonly port: number
  readonly all: readonly net.Socket[]
  readonly server: http.Server
}

const clients: net.Socket[] = []

/** What the engine takes for the time: a busy machine is not a slow handler. */
let clock = performance.now()

beforeEach(() => {
  jest.spyOn(performance, 'now').mockImplementation(() => clock)
})

afterEach(() => {
  jest.restoreAllMocks()
  for (const client of clients.splice(0)) client.destroy()
})

async function connected(where: number | { readonly path: string }): Promise<net.Socket> {
  const client = typeof where === 'number' ? net.connect(where, '127.0.0.1') : net.connect(where)
  clients.push(client)
  await once(client, 'connect')
  return client.setEncoding('latin1')
}

/** After a turn in company: in the next responses are held. */
async function company(listener: http.RequestListener, options: EngineOptions = {}): Promise<Company> {
  const { port, server } = await serve((req, res) => (req.url === '/first' ? res.end() : listener(req, res)), options)
  const all = await Promise.all(CLIENTS.map(() => connected(port)))
  const turn: Company['turn'] = async (path, request = get) => {
    const answers = all.map((client) => answerTo(client))
    all.forEach((client, index) => {
      client.write(request(`${path}${path === '/first' ? '' : CLIENTS[index]}`))
    })
    return Promise.all(answers)
  }
  // Connections are accepted in turns of their own.
  await turn('/first')
  await turn('/first')
  return { turn, port, all, server }
}

async function answerTo(client: net.Socket): Promise<string> {
  const [text] = await Promise.race([once(client, 'data'), once(client, 'close').then(() => ['closed'])])
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

/** Ends the response and notes whether its bytes were given to the kernel at once. */
const noting =
  (seen: boolean[], text: string | Buffer = 'x') =>
  (req: http.IncomingMessage, res: http.ServerResponse) => {
    const { _handle: handle } = req.socket as unknown as { _handle: { bytesWritten: number } }
    const before = handle.bytesWritten
    res.end(text)
    seen.push(handle.bytesWritten > before)
  }

test('responses to requests in company leave at the end of the turn', async () => {
  const seen: boolean[] = []
  const { turn } = await company(noting(seen))
  expect(await turn('/')).toEqual(['x', 'x', 'x', 'x'])
  expect(seen).toEqual([false, false, false, false])
})

test('a client alone is answered at once', async () => {
  const seen: boolean[] = []
  const { turn, port } = await company(noting(seen))
  const alone = await connected(port)
  // The company of the last turn is no longer there.
  clock += 2
  for (let time = 0; time < 2; time++) {
    alone.write(get('/alone'))
    expect(await answerTo(alone)).toBe('x')
  }
  expect(seen).toEqual([true, true])
  await turn('/')
  expect(seen.slice(2)).toEqual([true, true, true, true])
})

test('a client whose requests take several reads each is no company', async () => {
  const seen: boolean[] = []
  const note = noting(seen)
  const server = http.createServer((req, res) => void req.resume().on('end', () => note(req, res)))
  attach(server)
  // The kernel takes all of a request before any of it is read.
  const path = join(temporaryFolder(), 'socket')
  await listeningAt(server, { path })
  const alone = await connected({ path })
  const body = 'x'.repeat(140_000)
  clock += 2
  for (let time = 0; time < 3; time++) {
    alone.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    expect(await answerTo(alone)).toBe('x')
  }
  expect(seen).toEqual([true, true, true])
})

test('where `together` is off every response leaves at once', async () => {
  const seen: boolean[] = []
  const { turn } = await company(noting(seen), { together: false })
  await turn('/')
  expect(seen).toEqual([true, true, true, true])
})

test('what is too long to be copied is held as it is, and what is longer than that leaves at once', async () => {
  const bodies = new Map<string, string | Buffer>([
    ['/a', Buffer.alloc(140_000)],
    ['/b', Buffer.alloc(65_536)],
    ['/c', 'x'.repeat(65_536)],
    ['/d', 'x'],
  ])
  const seen: boolean[] = []
  const { turn } = await company((req, res) => noting(seen, bodies.get(req.url!))(req, res))
  await turn('/')
  expect(seen).toEqual([true, false, false, false])
})

test('a long response is not lost where the handler destroys its socket behind it', async () => {
  const { all } = await company((req, res) => {
    res.end(Buffer.alloc(65_536, 'x'))
    req.socket.destroy()
  })
  const received = all.map(async (client) => (await client.toArray()).join('').replace(/^.*\r\n\r\n/s, ''))
  for (const client of all) client.write(get('/'))
  expect((await Promise.all(received)).map(({ length }) => length)).toEqual([65_536, 65_536, 65_536, 65_536])
})

test('after a handler that took long responses leave at once', async () => {
  const seen: boolean[] = []
  const { turn } = await company((req, res) => {
    noting(seen)(req, res)
    if (req.url === '/slow-d') clock += 6
  })
  await turn('/slow-')
  await turn('/')
  expect(seen).toEqual([false, false, false, false, true, true, true, true])
  clock += 120
  await turn('/first')
  await turn('/')
  expect(seen.slice(8)).toEqual([false, false, false, false])
})

test('a response is not lost where the handler destroys its socket behind it', async () => {
  const finished: string[] = []
  const { turn } = await company((req, res) => {
    res.on('finish', () => finished.push(`finish ${req.url}`))
    res.end(req.url)
    req.socket.destroy()
    finished.push(`destroyed ${req.url}`)
  })
  expect(await turn('/')).toEqual(['/a', '/b', '/c', '/d'])
  expect(finished.slice(0, 2)).toEqual(['destroyed /a', 'finish /a'])
})

/** Writes in parts, each handed to the socket before the next. */
async function inParts(res: http.ServerResponse, parts: readonly string[]): Promise<void> {
  res.writeHead(200, { 'Content-Length': 9 })
  for (const part of parts) {
    res.write(part)
    await new Promise(process.nextTick)
  }
}

test('what is written behind it is not lost either', async () => {
  const { turn } = await company(async (req, res) => {
    await inParts(res, [req.url!, '!', '?'])
    req.socket.destroy()
  })
  expect(await turn('/')).toEqual(['/a!?', '/b!?', '/c!?', '/d!?'])
})

test('what is held counts as written', async () => {
  const counted: number[] = []
  const { turn } = await company((req, res) => {
    const before = req.socket.bytesWritten
    const head = 'HTTP/1.1 200 OK\r\n\r\n'
    res.sendDate = false
    res.writeHead(200, { Connection: 'close' })
    if (req.url === '/a') res.end('é')
    else res.end(Buffer.alloc(40_000))
    counted.push(req.socket.bytesWritten - before - head.length)
  })
  await turn('/')
  const fields = 'Connection: close\r\nTransfer-Encoding: chunked\r\n'.length
  const chunked = fields + '9c40\r\n\r\n0\r\n\r\n'.length + 40_000
  expect(counted).toEqual([fields + '2\r\né\r\n0\r\n\r\n'.length + 1, chunked, chunked, chunked])
})

test('server.close() ends connections whose response is held as those that are idle, and it leaves before', async () => {
  const said: string[] = []
  const { all, server } = await company((req, res) => {
    res.on('finish', () => said.push(`finish ${req.url}`))
    res.end('x')
    if (req.url !== '/d') return
    server.close()
    said.push('close')
  })
  const others = all.slice(0, 3).map(async (client) => (await client.toArray()).join('').endsWith('\r\n\r\nx'))
  const own = answerTo(all[3]!)
  all.forEach((client, index) => {
    client.write(get(`/${CLIENTS[index]}`))
  })
  expect(await Promise.all(others)).toEqual([true, true, true])
  expect(await own).toBe('x')
  expect(said).toEqual(['finish /a', 'finish /b', 'finish /c', 'close', 'finish /d'])
})

test('responses to pipelined requests are not lost where the handler of a later one destroys the socket', async () => {
  const { port } = await serve((req, res) => {
    if (req.url === '/3') req.socket.destroy()
    else res.end(req.url)
  })
  const alone = await connected(port)
  let received = ''
  alone.on('data', (text) => {
    received += text
  })
  alone.write(get('/1') + get('/2') + get('/3'))
  await once(alone, 'close')
  expect(received).toMatch(/\/1HTTP[\s\S]*\/2$/)
})

test('what a response begins with is not lost where the body of its request is wrong', async () => {
  const { turn } = await company((req, res) => void res.writeHead(200, { 'Content-Length': 9 }).write(req.url))
  const wrong = (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nX\r\n`
  expect(await turn('/', wrong)).toEqual(['/a', '/b', '/c', '/d'])
})

test('an answer to an error reaches a client that still sends, where a listener destroys the socket', async () => {
  const { server, all } = await company(() => {})
  server.on('clientError', ({ code }: NodeJS.ErrnoException, socket) => {
    if (code?.startsWith('HPE_')) socket.write('HTTP/1.1 400 Own\r\n\r\nown')
    socket.destroy()
  })
  const answers = all.map(answerTo)
  const went = all.map(async (client) => {
    await once(client, 'data')
    return new Promise((resolve) => client.write('more', resolve))
  })
  // More than one read takes: closing with the rest unread resets the connection, and what is sent then fails.
  const rest = 'x'.repeat(80_000)
  const ofTheApp = `wrong\r\n\r\n${rest}`
  const ofTheEngine = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${rest}`
  all.forEach((client, index) => {
    client.write(index % 2 ? ofTheApp : ofTheEngine)
  })
  const other = 'A transfer coding other than chunked is not implemented.'
  expect(await Promise.all(answers)).toEqual([other, 'own', other, 'own'])
  expect((await Promise.all(went)).map((error) => error ?? null)).toEqual([null, null, null, null])
})

test('a response is finished before it leaves, as one that the kernel has', async () => {
  const said: string[] = []
  const { turn } = await company((req, res) => {
    const { _handle: handle } = req.socket as unknown as { _handle: { bytesWritten: number } }
    const before = handle.bytesWritten
    res.on('close', () => said.push(handle.bytesWritten > before ? 'late' : 'at once'))
    res.end('x', () => said.push(`${req.url} ${res.writableFinished} ${req.socket.writableLength}`))
  })
  expect(await turn('/')).toEqual(['x', 'x', 'x', 'x'])
  expect(said).toEqual(CLIENTS.flatMap((client) => [`/${client} true 0`, 'at once']))
})

test('clients that do not read are not answered for ever, and in order when they do', async () => {
  const LETTERS = [...'abcdefghijklmnopqrst']
  const LENGTH = 120_000
  let handled = 0
  let mostQueued = 0
  const server = http.createServer((req, res) => {
    handled++
    const { _handle: handle } = req.socket as unknown as { _handle: { writeQueueSize: number } }
    mostQueued = Math.max(mostQueued, handle.writeQueueSize)
    res.end(req.url === '/' ? '' : Buffer.alloc(LENGTH, req.url!.slice(1)))
  })
  attach(server)
  // Its buffers have room for two of the responses.
  const path = join(temporaryFolder(), 'socket')
  await listeningAt(server, { path })
  const all = await Promise.all(CLIENTS.map(() => connected({ path })))
  for (const client of all) client.pause()
  for (const path of ['/', '/', ...LETTERS.map((letter) => `/${letter}`)]) {
    for (const client of all) client.write(get(path))
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  expect(handled).toBeGreaterThan(2 * all.length)
  expect(handled).toBeLessThan((LETTERS.length / 2) * all.length)
  expect(mostQueued).toBeLessThan(2 * LENGTH)
  for (const client of all) client.write(get('/z', LAST))
  const received = await Promise.all(all.map(async (client) => (await client.toArray()).join('')))
  const bodies = received.map((text) => text.replace(/HTTP[\s\S]*?\r\n\r\n/g, '').replace(/(.)\1{119999}/g, '$1'))
  expect(bodies).toEqual(CLIENTS.map(() => 'abcdefghijklmnopqrstz'))
})

test('each response finishes in the context that it was ended in', async () => {
  const storage = new AsyncLocalStorage<string | undefined>()
  const finished: string[] = []
  const { turn, port } = await company((req, res) =>
    storage.run(req.url, () => {
      res.on('finish', () => finished.push(`${req.url} ${storage.getStore()}`))
      res.end(req.url)
    }),
  )
  await turn('/')
  expect(finished).toEqual(['/a /a', '/b /b', '/c /c', '/d /d'])
  const alone = await connected(port)
  alone.write(get('/1') + get('/2') + get('/3'))
  await answerTo(alone)
  expect(finished.slice(4)).toEqual(['/1 /1', '/2 /2', '/3 /3'])
})

/** The requests of a, b, c and d in one turn in company, by a server in a process of its own. */
async function heldByProcess(
  paths: readonly string[],
): Promise<{ program: Program; answers: string[]; received: string[] }> {
  const program = startNode(join(__dirname, 'held.js'), [], { stdio: ['pipe', 'pipe', 'pipe'] })
  const port = Number((await program.line(/^port (\d+)$/m))[1])
  const all = await Promise.all(CLIENTS.map(() => connected(port)))
  const received = CLIENTS.map(() => '')
  for (const [index, client] of all.entries()) {
    client.on('data', (text) => {
      received[index] = `${received[index]}${text}`
    })
  }
  const turn = (each: readonly string[]) => {
    const answers = each.map((_, index) => answerTo(all[index]!))
    for (const [index, path] of each.entries()) all[index]!.write(get(path, `X-Client: ${CLIENTS[index]}\r\n`))
    return Promise.all(answers)
  }
  for (const _ of CLIENTS) await turn(['/first', '/first', '/first', '/first'])
  await turn(['/block'])
  for (const each of [['/block', '/first', '/first', '/first'], paths]) {
    const answers = turn(each)
    program.child.stdin!.write('x')
    if (each === paths) return { program, answers: await answers, received }
    await answers
  }
  throw new Error('not reached')
}

test('what was held leaves before the process does', async () => {
  const { program, answers } = await heldByProcess(['/a', '/b', '/exit'])
  expect(answers).toEqual(['/a', '/b', '/exit'])
  expect(await program.ended()).toEqual({ code: 7, signal: null })
})

test('and what was written behind it', async () => {
  const { program, received } = await heldByProcess(['/a', '/b', '/parts'])
  // The parts may come one by one.
  await Promise.all(clients.map((client) => client.closed || once(client, 'close')))
  expect(received[2]).toMatch(/\/parts$/)
  expect(await program.ended()).toEqual({ code: 7, signal: null })
})

test('responses to pipelined requests leave before the process does', async () => {
  const program = startNode(join(__dirname, 'held.js'), [])
  const alone = await connected(Number((await program.line(/^port (\d+)$/m))[1]))
  let received = ''
  alone.on('data', (text) => {
    received += text
  })
  alone.write(get('/1') + get('/exit') + get('/2'))
  await once(alone, 'close')
  expect(received).toMatch(/\/1HTTP[\s\S]*\/exit$/)
  expect(await program.ended()).toEqual({ code: 7, signal: null })
})

test('what a listener of one response throws costs the others nothing', async () => {
  const { program, answers } = await heldByProcess(['/throw', '/b', '/throw', '/d'])
  expect(answers).toEqual(['/throw', '/b', '/throw', '/d'])
  await program.lines(/^thrown for [ac]$/m, 2)
})
