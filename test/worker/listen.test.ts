/** `listen` of an app, against a real kernel: every row of the contract. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { freePort } from '../support/port.ts'
import { dist } from '../support/process.ts'
import { LOOPBACK, startWorker } from './worker.ts'

/** An app of this text; `say(…)` prints a line that tests wait for. */
const app = (text: string): string => {
  const folder = temporaryFolder({ 'app.js': `const say = (...a) => console.log(JSON.stringify(a));\n${text}` })
  return `${folder}/app.js`
}

const taken: Server[] = []
const takenPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  taken.push(server)
  await once(server, 'listening')
  return (server.address() as { port: number }).port
}
afterEach(() => taken.splice(0).forEach((server) => void server.close()))

describe('without bind', () => {
  it('an app gets the address that it names, shared, and knows it as soon as listen returns', async () => {
    const port = await freePort()
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => res.end('here'))
        server.listen(${port}, () => say('called'))
        server.on('listening', () => say('event'))
        say(server.listening, server.address())`),
    })
    await worker.printed(/^\[true,\{"address":"::","family":"IPv6","port":\d+\}\]$/)
    await worker.printed(/called/)
    await worker.printed(/event/)
    const address = { kind: 'tcp', host: '::', port, v6only: false }
    expect((await worker.told('asked')).address).toEqual(address)
    expect(await worker.told('ready')).toEqual({ kind: 'ready', address: [address] })
    expect((await ask({ port })).body).toBe('here')
  })

  it('a host is looked up', async () => {
    const port = await freePort()
    const worker = startWorker({
      file: app(`
        require('node:http').createServer((req, res) => res.end('name'))
          .listen(${port}, 'localhost', function () { say('named', this.address().port) })`),
    })
    await worker.printed(new RegExp(`"named",${port}`))
    expect((await ask({ port, host: 'localhost' })).body).toBe('name')
  })

  it('the backlog of the app is asked for, else the setting', async () => {
    const worker = startWorker({
      file: app(`
        const http = require('node:http')
        http.createServer().listen({ port: ${await freePort()}, backlog: 7 })
        http.createServer().listen({ port: ${await freePort()} })`),
      settings: { backlog: 99 },
    })
    expect((await worker.told('asked', 1)).backlog).toBe(7)
    expect((await worker.told('asked', 2)).backlog).toBe(99)
  })

  it('a UNIX socket is shared, and address() is its path', async () => {
    const path = `${temporaryFolder()}/app.sock`
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => res.end('unix'))
        server.listen('${path}'); say(server.address())`),
    })
    await worker.printed(new RegExp(`\\["${path}"\\]`))
    expect((await worker.told('ready')).address).toEqual([expect.objectContaining({ kind: 'unix', path })])
    expect((await ask({ path })).body).toBe('unix')
  })

  it('a plain server is shared too', async () => {
    const port = await freePort()
    const worker = startWorker({
      file: app(`require('node:net').createServer((socket) => socket.end('raw')).listen(${port}, '127.0.0.1')`),
    })
    expect((await worker.told('ready')).address).toEqual([{ kind: 'tcp', host: '127.0.0.1', port }])
  })

  it.each([
    ['port 0', `listen(0, '127.0.0.1')`],
    ['exclusive', `listen({ port: PORT, host: '127.0.0.1', exclusive: true })`],
    [
      'reusePort',
      `listen({ port: PORT, host: '127.0.0.1', reusePort: Number(process.versions.node.split('.')[0]) > 22 })`,
    ],
    ['a handle', `listen(other._handle)`],
    ['a descriptor', `listen({ fd: require('${dist('kernel/addon.js')}').loadKernel().dup(other._handle.fd) })`],
  ])('%s stays private, and is ready all the same', async (_, listen) => {
    const text = `
      const http = require('node:http')
      const PORT = ${await freePort()}
      const other = require('node:net').createServer().listen(0)
      const server = http.createServer((req, res) => res.end('mine'))
      server.${listen}
      server.once('listening', () => say('on', server.address()))`
    // Before Node 23.1 there is no reusePort: exclusive stands for it there.
    const worker = startWorker({ file: app(text.replace('reusePort: Number', 'exclusive: true, reusePort: Number')) })
    await worker.printed(/"on"/)
    await worker.told('ready')
    expect(worker.all('asked')).toEqual([])
  })

  it('a port in use is the error event, as in Node', async () => {
    const port = await takenPort()
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer()
        server.listen(${port}, '127.0.0.1')
        server.on('error', ({ message, code, errno, syscall, address, port }) => say({ message, code, errno, syscall, address, port, listening: server.listening }))
        setInterval(() => {}, 1000)`),
    })
    const { input } = await worker.printed(/EADDRINUSE/)
    expect(JSON.parse(input)[0]).toEqual({
      message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
      code: 'EADDRINUSE',
      errno: -98,
      syscall: 'listen',
      address: '127.0.0.1',
      port,
      listening: false,
    })
  })

  it.each([
    ['where the app called listen', '', /^Error: listen EADDRINUSE.*\n {4}at Object\.<anonymous> \(.*app\.js:/],
    ['in Node where a name was looked up before', `, '127.0.0.1'`, /^Error: listen EADDRINUSE.*\n {4}at .*\(node:net:/],
  ])('the stack of a port in use begins %s, and nothing of ours is in it', async (_, host, stack) => {
    const port = await takenPort()
    const worker = startWorker({
      file: app(`
        require('node:http').createServer().listen(${port}${host}).on('error', ({ stack }) => say({ stack }))
        setInterval(() => {}, 1000)`),
    })
    const { input } = await worker.printed(/EADDRINUSE/)
    const [said] = JSON.parse(input)
    expect(said.stack).toMatch(stack)
    expect(said.stack).not.toContain(dist(''))
  })

  it('a port in use that nobody handles ends the boot with the error', async () => {
    const port = await takenPort()
    const worker = startWorker({ file: app(`require('node:http').createServer().listen(${port}, '127.0.0.1')`) })
    expect(await worker.told('failed')).toMatchObject({
      fault: 'threw',
      text: `Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
    })
    expect(await worker.ended()).toMatchObject({ code: 1 })
  })

  it('a server can be closed and listen again, on the same or another address', async () => {
    const [one, two] = [await freePort(), await freePort()]
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => res.end('again'))
        server.listen(${one}, '127.0.0.1', () => server.close(() =>
          server.listen(${one}, '127.0.0.1', () => server.close(() =>
            server.listen(${two}, '127.0.0.1', () => say('third', server.address().port))))))`),
    })
    await worker.printed(new RegExp(`"third",${two}`))
    expect(worker.all('asked')).toHaveLength(3)
    expect((await ask({ port: two })).body).toBe('again')
  })

  it('the same address again in one worker is shared', async () => {
    const port = await freePort()
    const worker = startWorker({
      file: app(`
        const http = require('node:http')
        for (const name of ['one', 'two']) http.createServer((req, res) => res.end('both')).listen(${port}, '127.0.0.1', () => say(name))`),
    })
    await worker.printed(/one/)
    await worker.printed(/two/)
    expect((await ask({ port })).body).toBe('both')
  })

  it('an aborted signal closes the server, and a listener of close hears it', async () => {
    const worker = startWorker({
      file: app(`
        const stop = new AbortController()
        const server = require('node:http').createServer()
        server.on('close', () => { say('closed'); setInterval(() => {}, 1000) })
        server.listen({ port: ${await freePort()}, host: '127.0.0.1', signal: stop.signal }, () => stop.abort())`),
    })
    await worker.printed(/closed/)
  })
})

describe('with bind', () => {
  it('the first http server is led there, and the log says so', async () => {
    const port = await freePort()
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => res.end('bound'))
        server.listen(${port}, () => say('at', server.address().port))`),
      bind: [LOOPBACK],
    })
    const { bound } = await worker.told('spawned')
    const at = await worker.port()
    expect(bound).toEqual([{ kind: 'tcp', host: '127.0.0.1', port: at }])
    await worker.printed(new RegExp(`"at",${at}`))
    expect(await worker.told('log')).toEqual({
      kind: 'log',
      level: 'info',
      text: `the app's :${port} is led to 127.0.0.1:${at} (bind)`,
    })
    expect((await ask({ port: at })).body).toBe('bound')
    await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('a second server is opened as it is named, and port probes never take bind', async () => {
    const [main, metrics, probed] = [await freePort(), await freePort(), await freePort()]
    const worker = startWorker({
      file: app(`
        const http = require('node:http')
        const probe = require('node:net').createServer()
        probe.listen(${probed}, '127.0.0.1', () => probe.close(() => {
          http.createServer((req, res) => res.end('main')).listen(${main}, '127.0.0.1')
          http.createServer((req, res) => res.end('metrics')).listen(${metrics}, '127.0.0.1', () => say('both'))
        }))`),
      bind: [LOOPBACK],
    })
    await worker.printed(/both/)
    expect(worker.all('asked').map(({ address }) => 'port' in address && address.port)).toEqual([probed, metrics])
    expect((await ask({ port: await worker.port() })).body).toBe('main')
    expect((await ask({ port: metrics })).body).toBe('metrics')
  })

  it('a worker that serves only a port of its own is not ready, and says why', async () => {
    const worker = startWorker({
      file: app(`
        const http = require('node:http')
        const server = http.createServer().listen(0, '127.0.0.1', () => say('own', server.address().port))
        process.on('SIGTERM', () => http.createServer((req, res) => res.end('late')).listen(3000))`),
      bind: [LOOPBACK],
    })
    const [, own] = await worker.printed(/"own",(\d+)/)
    const { pid, bound } = await worker.told('spawned')
    const { level, text } = await worker.told('log')
    expect({ level, text }).toEqual({
      level: 'warning',
      text: expect.stringMatching(
        new RegExp(
          `app\\.js listens on 127\\.0\\.0\\.1:${own}, but not on bind, where only an HTTP server is led that names a port`,
        ),
      ),
    })
    expect(worker.all('ready')).toEqual([])
    process.kill(pid, 'SIGTERM')
    expect((await worker.told('ready')).address).toContainEqual(bound[0])
    expect((await ask({ port: bound[0]?.kind === 'tcp' ? bound[0].port : 0 })).body).toBe('late')
  })

  it('several addresses serve one server, TCP and UNIX', async () => {
    const path = `${temporaryFolder()}/bind.sock`
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => res.end('all'))
        server.listen(3000, () => { say(server.address()); server.getConnections((error, count) => say('count', count)) })
        process.on('SIGTERM', () => server.close((error) => { say('closed', error ?? null); process.exit(0) }))`),
      bind: [LOOPBACK, LOOPBACK, { kind: 'unix', path }],
    })
    const { address } = await worker.told('ready')
    expect(address).toHaveLength(3)
    for (const each of address) {
      const where = each.kind === 'tcp' ? { port: each.port } : { path: each.path }
      expect((await ask(where)).body).toBe('all')
    }
    await worker.printed(/"count",0/)
    worker.say({ kind: 'drain', within: 10_000, stopping: true })
    await worker.printed(/"closed",null/)
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })

  it('is led there again after it was closed', async () => {
    const worker = startWorker({
      file: app(`
        const server = require('node:http').createServer((req, res) => res.end('again'))
        server.listen(3000, () => server.close(() => server.listen(3000, () => say('again', server.address().port))))`),
      bind: [LOOPBACK],
    })
    const { bound } = await worker.told('spawned')
    const [first] = bound
    const port = first?.kind === 'tcp' ? first.port : 0
    await worker.printed(new RegExp(`"again",${port}`))
    await worker.told('log')
    expect(worker.all('asked')).toEqual([])
    expect(worker.all('log')).toHaveLength(1)
    expect((await ask({ port })).body).toBe('again')
  })

  it('holds for https, http2 and subclasses of http.Server', async () => {
    for (const make of [
      `require('node:https').createServer({ key: '', cert: '' })`,
      `require('node:http2').createServer()`,
      `new (class extends require('node:http').Server {})()`,
    ]) {
      const worker = startWorker({ file: app(`${make}.listen(3000)`), bind: [LOOPBACK] })
      const { bound } = await worker.told('spawned')
      expect((await worker.told('ready')).address).toEqual(bound)
    }
  })
})
