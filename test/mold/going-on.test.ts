/** What an app has begun while it was loaded goes on in each worker as if there had been no fork. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { ready, type Service, type ServiceOptions, serve } from '../arbiter/service.ts'
import { dist } from '../support/process.ts'

const preload = (app: string, args: readonly string[] = [], prepare?: ServiceOptions['prepare']): Service =>
  serve(['--preload', '--no-preload-spare', '--startsecs', '0', ...args], {
    files: { 'app.js': app },
    ...(prepare && { prepare }),
  })

test('the context that was entered while loading is there when it listens, and in each request', async () => {
  const service = preload(`
    const context = new (require('node:async_hooks').AsyncLocalStorage)()
    context.enterWith('entered')
    require('node:http').createServer((q, r) => r.end(context.getStore()))
      .listen(3000, () => console.log('listens, ' + context.getStore()))
    context.enterWith('left')
    const other = require('node:net').createServer((socket) => console.log('connected, ' + context.getStore()))
    other.listen('other.sock', () => require('node:net').connect('other.sock'))`)
  await service.program.line(/^listens, entered$/)
  await service.program.line(/^connected, left$/)
  await service.program.line('all workers are ready')
  expect((await service.get()).body).toBe('entered')
})

test('what a registry is told of is cleaned up after, whatever V8 had in mind when it was forked', async () => {
  const service = preload(
    `
    const found = []
    const registry = new FinalizationRegistry((name) => found.push(name))
    registry.register({}, 'loaded')
    require('node:http').createServer(async (q, r) => {
      registry.register({}, 'served')
      while (found.length < 2) await new Promise((resolve) => setImmediate(resolve, gc()))
      r.end(found.sort().join())
    }).listen(3000)`,
    ['--node-options', '--expose-gc'],
  )
  await service.program.line('all workers are ready')
  expect((await service.get()).body).toBe('loaded,served')
})

test('the time on the processor goes on from what it was when the app was loaded', async () => {
  const service = preload(`
    const { cpuUsage, resourceUsage } = process
    const readers = { cpuUsage, resourceUsage, ...(process.threadCpuUsage && { thread: () => process.threadCpuUsage() }) }
    const read = () => Object.fromEntries(Object.entries(readers).map(([name, reader]) => [name, reader.call(process)]))
    const until = cpuUsage().user + 300_000
    while (cpuUsage().user < until);
    const loaded = read()
    delete loaded.resourceUsage.maxRSS // of the process, as it is now
    require('node:http').createServer((q, r) => {
      const now = read()
      const less = Object.keys(now).flatMap((name) =>
        Object.keys(loaded[name]).filter((key) => now[name][key] < loaded[name][key]).map((key) => name + '.' + key))
      const { user, system } = process.cpuUsage(loaded.cpuUsage)
      r.end(JSON.stringify({ less, counts: user >= 0 && system >= 0 }))
    }).listen(3000)`)
  await service.program.line('all workers are ready')
  expect(JSON.parse((await service.get()).body)).toEqual({ less: [], counts: true })
})

describe('the rest of the mold is', () => {
  /** Forked when the mold has rested for as long as a worker takes to be taken for good. */
  const late = async (spare: string): Promise<Record<string, number>> => {
    const service = preload(
      `
      const { eventLoopUtilization } = performance
      const { monitorEventLoopDelay } = require('node:perf_hooks')
      const { preFork, postFork } = require('${dist('index.js')}')
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      const before = eventLoopUtilization()
      let rest = 0
      preFork(() => { rest -= performance.now() })
      postFork(() => { rest += performance.now() })
      require('node:http').createServer(async (q, r) => {
        while (delay.count === 0) await new Promise(setImmediate)
        const { active, utilization } = eventLoopUtilization(before)
        const { active: later } = eventLoopUtilization(eventLoopUtilization(), before)
        r.end(JSON.stringify({ rest, active, later, utilization, delay: delay.max / 1e6, whole: eventLoopUtilization().active }))
      }).listen(3000)`,
      ['--startsecs', '2s', spare],
    )
    await service.program.line('all workers are ready')
    if (spare === '--preload-spare') await service.program.line('all workers are ready')
    const mark = service.program.mark()
    const [, pid] = await service.program.line(/worker ready worker=1:0 pid=(\d+)/)
    process.kill(Number(pid), 'SIGKILL')
    await ready(service, 1, mark)
    return JSON.parse((await service.get()).body) as Record<string, number>
  }

  test.each(['--no-preload-spare', '--preload-spare'])(
    'no delay of the event loop, nor work of it (%s)',
    async (spare) => {
      const { rest, active, later, utilization, delay, whole } = (await late(spare)) as Record<string, number>
      expect(rest).toBeGreaterThan(2000)
      for (const each of [active, later, delay, whole]) expect(each).toBeLessThan(rest!)
      expect(active).toBeGreaterThan(0)
      expect(utilization).toBeLessThanOrEqual(1)
    },
  )
})

test('who has drawn random numbers is named, also where it was through Node', async () => {
  const service = preload(`
    require('node:util').promisify(require('node:crypto').randomBytes)(8)
    require('node:http').createServer().listen(3000)`)
  const [, drawn] = await service.program.line(/random numbers were drawn .*: (.*) mold=/)
  expect(drawn).toMatch(/^\/.*\/app\.js \(randomBytes\)$/)
})

test('what the app has had compiled is in the cache of a Node that has one', async () => {
  const service = serve(['--preload', '--no-preload-spare', '--startsecs', '0'], {
    files: { 'app.js': `require('./other.js')\nrequire('node:http').createServer().listen(3000)`, 'other.js': '' },
    env: { NODE_COMPILE_CACHE: 'cache' },
  })
  await service.program.line('all workers are ready')
  const kept = existsSync(join(service.folder, 'cache'))
    ? readdirSync(join(service.folder, 'cache'), { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      )
    : []
  // At least the two of the app's.
  expect(kept.length >= 2).toBe('flushCompileCache' in module)
})

test('files can be watched again after a watcher was closed, by each worker for itself', async () => {
  const service = preload(
    `
    const { watch } = require('node:fs')
    const { preFork, postFork } = require('${dist('index.js')}')
    const begin = () => watch('watched', (_, name) => console.log(name + ' seen by ' + process.pid))
    const watcher = begin()
    preFork(() => watcher.close())
    postFork(() => void begin())
    require('node:http').createServer((q, r) => r.end('ok')).listen(3000)`,
    ['-w', '2'],
    (folder) => mkdirSync(join(folder, 'watched')),
  )
  await service.program.line('all workers are ready')
  const pids = [...service.program.output.matchAll(/worker ready worker=\S+ pid=(\d+)/g)].map(([, pid]) => pid)
  writeFileSync(join(service.folder, 'watched', 'file'), '')
  expect(pids).toHaveLength(2)
  for (const pid of pids) await service.program.line(`file seen by ${pid}`)
})

test('gc is exposed in contexts and threads only where the app has asked for it', async () => {
  const app = `
    const { Worker } = require('node:worker_threads')
    const look = () => [typeof gc, require('node:vm').runInNewContext('typeof gc')]
    require('node:http').createServer((q, r) => {
      const code = 'require("node:worker_threads").parentPort.postMessage(typeof gc)'
      new Worker(code, { eval: true }).on('message', (inThread) => r.end(JSON.stringify([...look(), inThread])))
    }).listen(3000)`
  for (const [args, expected] of [
    [[], 'undefined'],
    [['--node-options', '--expose-gc'], 'function'],
  ] as const) {
    const service = preload(app, args)
    await service.program.line('all workers are ready')
    expect(JSON.parse((await service.get()).body)).toEqual([expected, expected, expected])
  }
})
