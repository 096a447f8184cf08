/** How a worker leaves. */
import { execFileSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { connect } from 'node:net'
import { temporaryFolder } from '../support/folder.ts'
import { ask, converse } from '../support/http.ts'
import { isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'
import { LOOPBACK, startWorker, type Worker } from './worker.ts'

const app = (text: string): string => `${temporaryFolder({ 'app.js': text })}/app.js`
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const drain = (worker: Worker, change: { within?: number; stopping?: boolean; after?: number } = {}): void =>
  worker.say({ kind: 'drain', within: 10_000, stopping: false, ...change })

const gone = (pid: number): Promise<void> => until(() => !isAlive(pid))

describe('a worker that drains', () => {
  it('leaves with 0 when nothing is going on', async () => {
    const worker = startWorker({
      file: app(`require('node:http').createServer().listen(0); setInterval(() => {}, 1000)`),
    })
    await worker.told('ready')
    drain(worker)
    expect(await worker.ended()).toMatchObject({ code: 0, signal: null })
    expect(worker.all('failed')).toEqual([])
  })

  it('finishes what is in flight, and says that the connection closes', async () => {
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => {
          console.log('in flight')
          process.once('SIGUSR2', () => res.end('finished'))
        })
        server.listen(3000)`),
      bind: [LOOPBACK],
    })
    const port = await worker.port()
    const answer = ask({ port })
    await worker.printed(/in flight/)
    drain(worker)
    expect(await worker.told('draining')).toEqual({ kind: 'draining', idle: 0, active: 1 })
    worker.order({ signal: 'SIGUSR2' })
    expect(await answer).toMatchObject({ body: 'finished', headers: { connection: 'close' } })
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })

  it('answers one request more on an idle connection, the last', async () => {
    const worker = startWorker({
      file: app(`require('node:http').createServer((req, res) => res.end('x')).listen(3000)`),
      bind: [LOOPBACK],
    })
    const client = await converse({ port: await worker.port() })
    client.send(GET)
    await client.until('\r\n\r\nx')
    drain(worker)
    await worker.told('draining')
    const before = client.received.length
    client.send(GET)
    const rest = (await client.closed()).slice(before)
    expect(rest).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(rest).toMatch(/\r\nConnection: close\r\n/)
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })

  it('closes idle connections after drainIdle', async () => {
    const worker = startWorker({
      file: app(`require('node:http').createServer((req, res) => res.end('x')).listen(3000)`),
      bind: [LOOPBACK],
      settings: { drainIdle: 50 },
    })
    const client = await converse({ port: await worker.port() })
    client.send(GET)
    await client.until('200 OK')
    drain(worker)
    await client.closed()
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })

  it('accepts what waits in the queue before it closes its copy of the socket', async () => {
    const fifo = `${temporaryFolder()}/fifo`
    execFileSync('mkfifo', [fifo])
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => res.end('from the queue'))
        server.listen(3000, () => process.once('SIGUSR2', () => {
          console.log('busy')
          require('node:fs').readFileSync('${fifo}')
        }))`),
      bind: [LOOPBACK],
    })
    const port = await worker.port()
    worker.order({ signal: 'SIGUSR2' })
    await worker.printed(/busy/)
    // The loop of the worker stands still: the kernel completes these connections, and nobody has accepted them.
    const clients = await Promise.all(Array.from({ length: 20 }, () => converse({ port })))
    for (const client of clients) client.send(GET)
    worker.order({ closeListeners: true })
    await worker.told('closed')
    drain(worker, { stopping: true })
    await (await open(fifo, 'w')).close()
    for (const client of clients) expect(await client.until('from the queue')).toContain('Connection: close')
    expect(await worker.ended()).toMatchObject({ code: 0 })
    await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('goes on accepting for as long as the order says', async () => {
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => res.end('still'))
        server.listen(3000)
        process.on('monoceros:drain', ({ streams, within }) => console.log('drain', streams, within > 0))`),
      bind: [LOOPBACK],
    })
    const port = await worker.port()
    drain(worker, { stopping: true, after: 2_000 })
    const answer = await ask({ port })
    expect(answer.body).toBe('still')
    expect(worker.all('draining')).toEqual([])
    await worker.printed(/^drain 10000 true$/)
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })

  it('lets a later order shorten the time', async () => {
    const worker = startWorker({
      file: app(`require('node:http').createServer(() => console.log('open')).listen(3000)`),
      bind: [LOOPBACK],
    })
    const client = await converse({ port: await worker.port() })
    client.send(GET)
    await worker.printed(/open/)
    drain(worker, { within: 600_000, after: 300_000 })
    drain(worker, { within: 400 })
    expect(await worker.ended()).toMatchObject({ code: 0 })
    await client.closed()
  })

  it('exits before it would be killed, although a request never ends', async () => {
    const worker = startWorker({
      file: app(`
        require('node:http').createServer(() => console.log('open')).listen(3000)
        process.on('SIGTERM', () => console.log('raised'))`),
      bind: [LOOPBACK],
    })
    const client = await converse({ port: await worker.port() })
    client.send(GET)
    await worker.printed(/open/)
    drain(worker, { within: 500 })
    await worker.printed(/raised/)
    expect(await worker.ended()).toMatchObject({ code: 0, signal: null })
  })

  it('ends server-sent events after drainStreams, and the app hears it before', async () => {
    const worker = startWorker({
      file: app(`
        const open = new Set()
        require('node:http').createServer((req, res) => {
          res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: hello\\n\\n')
          open.add(res)
        }).listen(3000)
        process.on('monoceros:drain', () => { for (const res of open) res.write('event: leaving\\n\\n') })`),
      bind: [LOOPBACK],
      settings: { drainStreams: 100 },
    })
    const client = await converse({ port: await worker.port() })
    client.send(GET)
    await client.until('hello')
    drain(worker)
    expect(await client.closed()).toContain('event: leaving')
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })

  it('waits for a client that does not read a large answer until four fifths of its time are over, and needs no KILL', async () => {
    const worker = startWorker({
      file: app(`
        require('node:http').createServer((req, res) => {
          res.end(Buffer.alloc(16_000_000))
          console.log('answered')
        }).listen(3000)
        process.on('SIGTERM', () => {
          console.log('raised')
          process.exit(7)
        })`),
      bind: [LOOPBACK],
      settings: { drainStreams: 50, drainIdle: 0 },
    })
    const client = await converse({ port: await worker.port() })
    client.socket.pause()
    client.send(GET)
    await worker.printed(/answered/)
    drain(worker, { within: 3_000 })
    await worker.told('draining', 2)
    expect(worker.all('draining').at(-1)).toEqual({ kind: 'draining', idle: 0, active: 1 })
    await worker.printed(/raised/)
    expect(await worker.ended()).toMatchObject({ code: 7, signal: null })
    client.destroy()
  })

  it('ends a stream that its client does not read soon after drainStreams', async () => {
    const worker = startWorker({
      file: app(`
        require('node:http').createServer((req, res) => {
          while (res.write(Buffer.alloc(1_000_000))) {}
          console.log('full')
        }).listen(3000)`),
      bind: [LOOPBACK],
      settings: { drainStreams: 50, drainIdle: 0 },
    })
    const client = await converse({ port: await worker.port() })
    client.socket.pause()
    client.send(GET)
    await worker.printed(/full/)
    drain(worker, { within: 600_000 })
    expect(await worker.ended()).toMatchObject({ code: 0, signal: null })
    client.destroy()
  })

  it('ends upgraded connections after drainStreams', async () => {
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer()
        server.on('upgrade', (req, socket) => {
          socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n')
          socket.pipe(socket)
        })
        server.listen(3000)`),
      bind: [LOOPBACK],
      settings: { drainStreams: 100, drainIdle: 0 },
    })
    const client = await converse({ port: await worker.port() })
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    await client.until('\r\n\r\n')
    client.send('ping')
    await client.until('ping')
    drain(worker)
    await client.closed()
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })
})

describe("the app's own handlers", () => {
  it('of SIGTERM run when the connections are finished, and may end the process their way', async () => {
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => {
          console.log('request'); setTimeout(() => { console.log('answered'); res.end() }, 50) })
        server.listen(3000)
        setInterval(() => {}, 1000)
        process.on('SIGINT', () => console.log('INT'))
        process.on('SIGTERM', (signal) => {
          console.log('TERM', signal)
          server.close((error) => { console.log('closed', error); process.exit(3) })
        })`),
      bind: [LOOPBACK],
    })
    const answer = ask({ port: await worker.port() })
    await worker.printed(/request/)
    drain(worker)
    await answer
    expect(await worker.ended()).toMatchObject({ code: 3 })
    expect(worker.program.stderr.split('\n').filter(Boolean)).toEqual([
      'request',
      'answered',
      'TERM SIGTERM',
      'closed undefined',
    ])
  })

  it('of SIGINT run where there are only those', async () => {
    const worker = startWorker({
      file: app(`
        require('node:http').createServer().listen(0)
        process.on('SIGINT', () => { console.log('INT'); process.exit() })`),
    })
    await worker.told('ready')
    drain(worker)
    expect(await worker.ended()).toMatchObject({ code: 0 })
    expect(worker.program.stderr).toBe('INT\n')
  })

  it('may leave nothing to do, and the worker ends by itself', async () => {
    const worker = startWorker({
      file: app(`
        require('node:http').createServer().listen(0)
        const timer = setInterval(() => {}, 1000)
        process.on('SIGTERM', async () => { await null; clearInterval(timer); process.on('exit', () => console.log('natural')) })`),
    })
    await worker.told('ready')
    drain(worker, { within: 600_000 })
    expect(await worker.ended()).toMatchObject({ code: 0 })
    expect(worker.program.stderr).toBe('natural\n')
  })

  it('that throw end the worker as they would under plain node', async () => {
    const worker = startWorker({
      file: app(`
        require('node:http').createServer().listen(0)
        process.on('SIGTERM', () => { throw new Error('in the handler') })`),
    })
    await worker.told('ready')
    drain(worker)
    await worker.printed(/Error: in the handler/)
    expect(await worker.ended()).toMatchObject({ code: 1 })
  })
})

describe('a worker', () => {
  it('cuts and leaves when it is told to quit', async () => {
    const worker = startWorker({
      file: app(`
        require('node:http').createServer(() => console.log('open')).listen(3000)
        process.on('SIGTERM', () => console.log('never'))`),
      bind: [LOOPBACK],
    })
    const client = connect(await worker.port(), '127.0.0.1')
    client.on('error', () => undefined).write(GET)
    await worker.printed(/open/)
    const closed = new Promise((resolve) => client.once('close', resolve))
    worker.say({ kind: 'quit' })
    expect(await worker.ended()).toMatchObject({ code: 0 })
    await closed
    expect(worker.program.stderr).toBe('open\n')
  })

  it('ends when its arbiter is gone, however that went', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const worker = startWorker({ file: app(`require('node:http').createServer().listen(0)`) })
      await worker.told('ready')
      const { pid } = await worker.told('spawned')
      worker.program.signal(signal)
      await worker.program.ended()
      await gone(pid)
    }
  })

  it('leaves when it is drained while it loads', async () => {
    const worker = startWorker({ file: app(`console.log('loading'); setTimeout(() => {}, 60_000)`) })
    await worker.printed(/loading/)
    drain(worker)
    expect(await worker.ended()).toMatchObject({ code: 0 })
    expect(worker.all('failed')).toEqual([])
  })

  it('asks to be replaced after maxRequests, once', async () => {
    const worker = startWorker({
      file: app(`require('node:http').createServer((req, res) => res.end()).listen(3000)`),
      bind: [LOOPBACK],
      settings: { maxRequests: 3 },
    })
    const port = await worker.port()
    for (let n = 0; n < 5; n++) await ask({ port })
    expect(await worker.told('retire')).toEqual({ kind: 'retire', reason: '3 requests' })
    drain(worker)
    await worker.ended()
    expect(worker.all('retire')).toHaveLength(1)
  })
})
