/** What an app does while it is loaded into the mold, as it would under plain node. */
import { lookup } from 'node:dns/promises'
import { ready, type Service, type ServiceOptions, serve } from '../arbiter/service.ts'
import { freePort } from '../support/port.ts'
import { dist } from '../support/process.ts'

const preload = (app: string, args: readonly string[] = [], options: ServiceOptions = {}): Service =>
  serve(['--preload', '--no-preload-spare', '--startsecs', '0', ...args], {
    ...options,
    files: { 'app.js': app, ...options.files },
  })

/** One line of JSON, printed by the app. */
const told = async (service: Service): Promise<unknown> =>
  JSON.parse((await service.program.line(/^told (.*)$/))[1]!) as unknown

describe('a server that is to listen', () => {
  /** Listens by each of these arguments; tells what addresses there are. Node takes a tick for an IP address. */
  const TELLING = (made: string, calls: string): string => `
    const servers = ${calls}.map((args) => require('node:${made}').createServer((q, r) => r.end('ok')).listen(...args))
    setImmediate(() => console.log('told ' + JSON.stringify(servers.map((server) => server.address())).replace(__dirname, '')))
    if ('${made}' === 'net') require('node:http').createServer((q, r) => r.end('ok')).listen(3000)`

  /** What it tells in a worker that was not forked. */
  async function toldPlainly(app: string, args: readonly string[] = []): Promise<unknown> {
    const service = serve(['--startsecs', '0', ...args], { files: { 'app.js': app } })
    const plain = await told(service)
    service.program.signal('SIGTERM')
    await service.program.ended()
    return plain
  }

  test.each([
    ['net', 'none', (_port: number) => []],
    ['http', 'a file', (_port: number) => []],
    ['http', 'a port', (port: number) => ['-b', `127.0.0.1:${port}`]],
    ['http', 'a name', (port: number) => ['-b', `localhost:${port}`]],
  ])('has the address that it would have without preload: node:%s, led to %s', async (made, _, bind) => {
    const [one, two, three, four, five] = await Promise.all(Array.from({ length: 5 }, freePort))
    const app = TELLING(
      made,
      `[[${one}, () => {}], ['${two}', '127.0.0.1'], [{ port: ${three}, host: '::1' }], ['named.sock'],
        [{ path: 'other.sock' }], [{ port: ${four}, exclusive: true }]]`,
    )
    const plain = await toldPlainly(app, bind(five!))
    const service = preload(app, bind(five!))
    expect(await told(service)).toEqual(plain)
    expect(plain).toHaveLength(6)
    await service.program.line('all workers are ready')
    expect((await service.get()).body).toBe('ok')
  })

  test('has a host by name when that was looked up, and port 0 until each worker has its own', async () => {
    const port = await freePort()
    const service = preload(`
      const { createServer } = require('node:http')
      const named = require('node:net').createServer().listen(${port}, 'localhost'), any = createServer().listen(0)
      const [none, other] = [createServer().listen(), createServer().listen(() => {})]
      console.log('first ' + named.address())
      const look = () => {
        if (named.address() === null) return setImmediate(look)
        console.log('told ' + JSON.stringify([named, any, none, other].map((one) => one.address())))
      }
      look()
      createServer((q, r) => r.end('ok')).listen(3000)
      any.once('listening', () => console.log('later ' + JSON.stringify(any.address())))`)
    await service.program.line(/^first null$/)
    const everywhere = { address: '::', family: 'IPv6', port: 0 }
    const localhost = { ...(await lookup('localhost')), port }
    expect(await told(service)).toEqual([
      { address: localhost.address, family: `IPv${localhost.family}`, port },
      everywhere,
      everywhere,
      everywhere,
    ])
    await service.program.line(/^later .*"port":[1-9]/)
    await service.program.line('all workers are ready')
    // Told once: in the mold.
    expect(service.program.output.match(/^told /gm)).toHaveLength(1)
  })

  test('is led to bind, as in each worker, when the one that would have been is closed before', async () => {
    const port = await freePort()
    const service = preload(
      `
      const { createServer } = require('node:http')
      const first = createServer().listen(3000)
      first.close(() => {
        const second = createServer((q, r) => r.end(JSON.stringify(second.address()))).listen(3001)
        console.log('told ' + JSON.stringify(second.address()))
      })`,
      ['-b', `127.0.0.1:${port}`],
    )
    const address = { address: '127.0.0.1', family: 'IPv4', port }
    expect(await told(service)).toEqual(address)
    await service.program.line('all workers are ready')
    expect(JSON.parse((await service.get()).body)).toEqual(address)
  })

  test('counts as listening, and has its own address in each worker', async () => {
    const service = preload(`
      const server = require('node:http').createServer((q, r) => r.end(JSON.stringify(server.address())))
      server.listen(0, '127.0.0.1')
      const other = require('node:http').createServer().listen(3000)
      let again
      try { other.listen(3000) } catch (error) { again = error.code }
      console.log('told ' + JSON.stringify([server.listening, other.listening, again]))
      server.once('listening', () => console.log('port ' + server.address().port))`)
    expect(await told(service)).toEqual([true, true, 'ERR_SERVER_ALREADY_LISTEN'])
    await service.program.line(/^port [1-9]/)
    await service.program.line('all workers are ready')
  })

  test('may be closed again: it says so, and stays closed', async () => {
    const app = `
      const { createServer } = require('node:http')
      const gone = createServer((q, r) => r.end('gone')).listen(3000)
      const events = []
      gone.on('close', () => events.push('event'))
      gone.close((error) => {
        console.log('told ' + JSON.stringify([...events, error?.code ?? 'closed', gone.listening, gone.address()]))
        createServer((q, r) => r.end('served ' + gone.listening)).listen(3000)
      })`
    // Node says for ever where a UNIX socket was.
    expect(await toldPlainly(app)).toEqual(['event', 'closed', false, expect.stringMatching(/http\.sock$/)])
    const service = preload(app)
    expect(await told(service)).toEqual(['event', 'closed', false, `${service.folder}/http.sock`])
    await service.program.line('all workers are ready')
    expect((await service.get()).body).toBe('served false')
  })
})

describe("process.send('ready')", () => {
  const APP = `
    const server = require('node:http').createServer((q, r) => r.end('ok'))
    server.listen(3000)
    const { send } = process
    send('something else')`

  test('makes each worker ready with waitReady', async () => {
    const service = preload(`${APP}\nsend('ready')`, ['-w', '2', '--wait-ready'])
    await service.program.line(/warning .*nobody hears process\.send\(\)/)
    await service.program.line('all workers are ready')
    expect((await service.get()).body).toBe('ok')
    expect(service.program.output.match(/nobody hears/g)).toHaveLength(1)
  })

  test('is heard in the worker, by what was taken of the process before', async () => {
    const service = preload(`${APP}\nserver.once('listening', () => { console.log('listens'); send('ready') })`, [
      '-w',
      '2',
      '--wait-ready',
    ])
    await service.program.line('all workers are ready')
    await service.program.lines(/^listens$/, 2)
  })
})

describe('cluster', () => {
  const APP = `
    const cluster = require('node:cluster')
    const { worker } = cluster
    if (cluster.isPrimary) cluster.fork()
    else {
      console.log('told ' + JSON.stringify([cluster.isMaster, cluster.isWorker, worker.id]))
      require('node:http').createServer((q, r) => r.end('id ' + worker.id + ' ' + (worker === cluster.worker))).listen(3000)
      process.on('SIGUSR2', () => worker.disconnect())
    }`

  test('a fork ends the boot at once, with what to set', async () => {
    const service = preload(APP, ['--boot-timeout', '60s'])
    expect((await service.program.ended()).code).toBe(4)
    expect(service.program.output).toMatch(
      /calls cluster\.fork\(\), but monoceros keeps the workers; with clusterWorker: true/,
    )
  })

  test('a fork in a worker does so too, by what was taken of it before', async () => {
    const service = preload(`
      const { fork } = require('node:cluster')
      require('${dist('index.js')}').postFork(() => fork())
      require('node:http').createServer().listen(3000)`)
    expect((await service.program.ended()).code).toBe(4)
    expect(service.program.output).toMatch(
      /calls cluster\.fork\(\), but monoceros keeps the workers; with clusterWorker: true/,
    )
  })

  test('a fork later on is said as well, and the pool goes on', async () => {
    const service = preload(`
      const cluster = require('node:cluster')
      require('node:http').createServer((q, r) => {
        if (q.url === '/fork') cluster.fork()
        r.end(String(process.pid))
      }).listen(3000)`)
    const { program } = service
    await program.line('all workers are ready')
    const { body: pid } = await service.get()
    const mark = program.mark()
    await expect(service.get('/fork')).rejects.toThrow()
    const why = String.raw`app\.js calls cluster\.fork\(\), but monoceros keeps the workers; with clusterWorker: true .*`
    await program.line(new RegExp(`error .*${why}`), mark)
    await ready(service, 1, mark)
    expect((await service.get()).body).not.toBe(pid)
    expect(program.output.match(new RegExp(why, 'g'))).toHaveLength(1)
  })

  test('with clusterWorker the app is loaded as a worker, and each worker has its id', async () => {
    const service = preload(APP, ['-w', '2', '--cluster-worker'])
    expect(await told(service)).toEqual([false, true, 0])
    await service.program.line('all workers are ready')
    const [, slot, pid] = await service.program.line(/worker ready worker=(\d+).* pid=(\d+)/)
    expect((await service.get()).body).toMatch(/^id [12] true$/)
    process.kill(Number(pid), 'SIGUSR2')
    await service.program.line(
      new RegExp(
        `worker=${slot}.*cluster\\.worker\\.disconnect\\(\\)|cluster\\.worker\\.disconnect\\(\\).*worker=${slot}`,
      ),
    )
  })
})

describe('an app that awaits its listen at its top level', () => {
  const esm = (app: string, args: readonly string[] = [], options: ServiceOptions = {}): Service =>
    preload(app, args, { ...options, files: { 'package.json': '{ "type": "module" }', ...options.files } })
  const LISTEN = `
    import { createServer } from 'node:http'
    const server = createServer((q, r) => r.end('ok'))
    await new Promise((resolve) => server.listen(3000, resolve))
    console.log('listens')`

  test('and keeps a timer is forked, and evaluated to its end in each worker', async () => {
    const service = esm(`setInterval(() => {}, 1000)\n${LISTEN}`, ['-w', '2'])
    await service.program.line('all workers are ready')
    // On another stream than the log: it may be read later.
    await service.program.lines(/^listens$/, 2)
    expect((await service.get()).body).toBe('ok')
  })

  test('has its beforeExit in its workers only', async () => {
    const service = esm(`process.on('beforeExit', () => { console.log('bye'); process.exit(0) })\n${LISTEN}`)
    await service.program.line('all workers are ready')
    expect((await service.get()).body).toBe('ok')
    expect(service.program.output).not.toContain('bye')
  })

  test('has what it exports under a name served as well', async () => {
    const service = esm(
      `
      import { createServer } from 'node:net'
      const other = createServer()
      await new Promise((resolve) => other.listen('other.sock', resolve))
      export default (q, r) => r.end('exported')`,
      [],
      { app: 'app.js:default' },
    )
    await service.program.line('all workers are ready')
    expect((await service.get()).body).toBe('exported')
  })

  test('is told what it still has open', async () => {
    const service = esm(
      `import { openSync } from 'node:fs'\nopenSync('app.js')\nsetInterval(() => {}, 1000)\n${LISTEN}`,
      ['--boot-timeout', '1s'],
    )
    expect((await service.program.ended()).code).toBe(3)
    expect(service.program.output).toMatch(/cannot be forked: .* had open descriptor \d+ \([^ ]*app\.js\); /)
  })

  test('or that it was not evaluated, where it is not even to listen', async () => {
    const service = esm(`setInterval(() => {}, 1000)\nawait new Promise(() => {})`, ['--boot-timeout', '1s'])
    expect((await service.program.ended()).code).toBe(3)
    expect(service.program.output).toMatch(/app\.js has not been evaluated to its end after 1 s: a top-level await/)
  })
})

test.each(['preFork', 'postFork'])('a %s hook that never comes to its end is named', async (name) => {
  const service = preload(
    `require('node:http').createServer((q, r) => r.end('ok')).listen(3000)
     require('${dist('index.js')}').${name}(() => new Promise(() => {}))`,
    ['--boot-timeout', '2s'],
  )
  expect((await service.program.ended()).code).toBe(name === 'preFork' ? 3 : 4)
  expect(service.program.output).toMatch(
    new RegExp(`the ${name} hook given at .*app\\.js:2:\\d+ has not come to its end`),
  )
})
