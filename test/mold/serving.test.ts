/** Workers that are forked from a mold, seen from outside. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { ready, type Service, type ServiceOptions, serve } from '../arbiter/service.ts'
import { isAlive, targetsOf } from '../support/proc.ts'
import { dist } from '../support/process.ts'
import { until } from '../support/until.ts'

const preload = (app: string, args: readonly string[] = [], options: ServiceOptions = {}): Service =>
  serve(['--preload', '--no-preload-spare', '--startsecs', '0', ...args], {
    ...options,
    files: { 'app.js': app, ...options.files },
  })

/** Loads once: the app says so when it is evaluated. */
const APP = `
console.log('loaded by ' + process.pid)
const big = Array.from({ length: 50_000 }, (_, i) => ({ i }))
const handlers = {
  '/': () => process.pid + ' ' + process.ppid + ' ' + big.length,
}
require('node:http').createServer(async (req, res) => res.end(String(await handlers[req.url]()))).listen(3000)
`

test('the app is loaded once, and every worker is a process of its own', async () => {
  const service = preload(APP, ['-w', '3'])
  await service.program.line('all workers are ready')
  expect(service.program.output.match(/loaded by/g)).toHaveLength(1)
  const [, mold] = await service.program.line(/mold started pid=(\d+)/)
  const pids = new Set<string>()
  for (let n = 0; n < 40; n++) {
    const [pid, parent, size] = (await service.get()).body.split(' ')
    pids.add(pid!)
    expect(parent).toBe(String(service.program.pid))
    expect(size).toBe('50000')
  }
  expect(pids).not.toContain(mold)
  for (const pid of pids) expect(service.children().map(String)).toContain(pid)
})

test('a worker that nobody asks collects nothing, and so shares with the mold what it did', async () => {
  const service = preload(
    `require('node:http').createServer((q, r) => r.end()).listen(3000, () => setTimeout(() => console.log('rested'), 12_000))`,
    ['--node-options', '--trace-gc'],
  )
  await service.program.line('rested')
  // The mold's own is there; V8's memory reducer, which waits for 8 s, would be marked so.
  expect(service.program.output).toMatch(/Mark-Compact/)
  expect(service.program.output).not.toMatch(/Mark-Compact \(reduce\)/)
})

/** What each process draws first; the app has drawn of everything before, so that there is something to be copied. */
const DRAWING = `
const crypto = require('node:crypto'), captured = Math.random
const draw = () => ({
  uuid: crypto.randomUUID(), random: Math.random(), captured: captured(), int: crypto.randomInt(2 ** 40),
  bytes: crypto.randomBytes(8).toString('hex'), web: [...globalThis.crypto.getRandomValues(new Uint8Array(8))].join(),
  webUuid: globalThis.crypto.randomUUID(), boundary: new Response(new FormData()).headers.get('content-type'),
})
draw(); draw()
require('node:http').createServer((q, r) => r.end()).listen(3000, () => console.log('drawn ' + JSON.stringify(draw())))
`

test('no two of 64 siblings draw the same random values', async () => {
  const service = preload(DRAWING, ['-w', '64', '--boot-timeout', '60s'])
  const lines = await service.program.lines(/^drawn .*$/, 64)
  const drawn = lines.map(([line]) => JSON.parse(line.slice('drawn '.length)) as Record<string, unknown>)
  expect(Object.keys(drawn[0]!)).toHaveLength(8)
  for (const what of Object.keys(drawn[0]!)) expect(new Set(drawn.map((values) => values[what])).size).toBe(64)
})

/** Each context made in another way, and drawn from in each child: as it is, and by what was taken of it while loading. */
const CONTEXTS = `
import vm, { createContext, runInContext, runInNewContext, Script } from 'node:vm'
import { createServer } from 'node:http'
const made = createContext({ name: 'made' }), named = vm.createContext()
const box = {}, shut = createContext({}, { microtaskMode: 'afterEvaluate', codeGeneration: { strings: false, wasm: false } })
const wrapped = new Script('(() => Math.random())')
const generators = {
  made: () => runInContext('Math.random()', made), captured: runInContext('Math.random', made),
  named: runInContext('const early = Math.random; () => early()', named), shut: runInContext('Math.random', shut),
  run: runInNewContext('() => Math.random()', box, 'file.js'), again: () => runInContext('Math.random()', box),
  property: vm.runInNewContext('Math.random'), script: wrapped.runInNewContext(), method: wrapped.runInNewContext({}, { contextName: 'one' }),
  shared: runInNewContext('Math.random', { Math }),
  vanilla: vm.constants?.DONT_CONTEXTIFY ? createContext(vm.constants.DONT_CONTEXTIFY).Math.random : Math.random,
}
const draw = () => Object.fromEntries(Object.entries(generators).map(([name, one]) => [name, one()]))
draw(); draw()
createServer((q, r) => r.end()).listen(3000, () => console.log('drawn ' + JSON.stringify(draw())))
`

test('nor in contexts that were made while the app was loaded', async () => {
  const service = preload('', ['-w', '64', '--boot-timeout', '60s'], { files: { 'app.mjs': CONTEXTS }, app: 'app.mjs' })
  const lines = await service.program.lines(/^drawn .*$/, 64)
  const drawn = lines.map(([line]) => Object.values(JSON.parse(line.slice('drawn '.length)) as Record<string, number>))
  expect(drawn[0]).toHaveLength(11)
  expect(drawn.flat().every((value) => value >= 0 && value < 1)).toBe(true)
  expect(new Set(drawn.flat()).size).toBe(64 * 11)
})

/** Contexts and threads that are made after the fork, and what they draw. */
const LATE = `
const vm = require('node:vm'), { once } = require('node:events'), { Worker } = require('node:worker_threads')
Math.random()
const THREAD = 'require("node:worker_threads").parentPort.postMessage([Math.random(), require("node:vm").runInNewContext("Math.random()")])'
const inThread = async () => (await once(new Worker(THREAD, { eval: true }), 'message'))[0]
const draw = async () => [
  Math.random(), vm.runInNewContext('Math.random()'), vm.runInContext('Math.random()', vm.createContext()),
  new vm.Script('Math.random()').runInNewContext(), ...await inThread(), ...await inThread(),
]
require('node:http').createServer((q, r) => r.end()).listen(3000, async () => console.log('drawn ' + JSON.stringify(await draw())))
`

test('nor in contexts and threads that were made after the fork', async () => {
  const service = preload(LATE, ['-w', '8', '--boot-timeout', '60s'])
  const lines = await service.program.lines(/^drawn .*$/, 8)
  const drawn = lines.flatMap(([line]) => JSON.parse(line.slice('drawn '.length)) as number[])
  expect(new Set(drawn).size).toBe(8 * 8)
})

test('functions of vm are as they are without preload: what they refuse, and how they look', async () => {
  const told = (service: Service) => service.program.line(/^told (.*)$/)
  const app = `
    import vm, { createContext } from 'node:vm'
    const reason = (what) => { try { return what() } catch (error) { return error.code + ' ' + error.message } }
    const box = {}, hidden = { get Math() { throw new Error('hidden') } }
    const found = [
      reason(() => createContext(1)), reason(() => vm.runInNewContext('1', {}, { contextName: 1 })),
      reason(() => vm.runInNewContext('throw new SyntaxError("own")')), reason(() => new vm.Script('1').runInNewContext(null)),
      reason(() => new vm.Script('2').runInNewContext(undefined, { timeout: -1 })),
      vm.runInNewContext('typeof Math.random() + Math.random.name + Object.keys(Math) + a', { a: 1 }),
      vm.runInNewContext('a', Object.assign(hidden, { a: 2 })),
      createContext(box) === box, createContext(box) === box, vm.isContext(box), vm.isContext(hidden),
    ]
    const { createServer } = await import('node:http')
    createServer((q, r) => r.end()).listen(3000, () => {
      const functions = [createContext, vm.runInNewContext, vm.Script.prototype.runInNewContext]
      console.log('told ' + JSON.stringify([...found, ...functions.map(({ name, length }) => name + length)]))
    })`
  const files = { 'app.mjs': app }
  const [, preloaded] = await told(preload('', [], { files, app: 'app.mjs' }))
  const [, plain] = await told(serve(['--startsecs', '0'], { files, app: 'app.mjs' }))
  expect(preloaded).toBe(plain)
})

test('a worker that is killed is forked again; the mold is started again when it has died', async () => {
  const service = preload(APP, ['-w', '2'])
  await service.program.line('all workers are ready')
  const [, mold] = await service.program.line(/mold started pid=(\d+)/)
  const kill = async (pid: number): Promise<void> => {
    const mark = service.program.mark()
    process.kill(pid, 'SIGKILL')
    await ready(service, 1, mark)
  }
  await kill(service.children().find((pid) => String(pid) !== mold)!)
  expect(service.program.output.match(/loaded by/g)).toHaveLength(1)
  process.kill(Number(mold), 'SIGKILL')
  await service.program.line('mold was killed by SIGKILL')
  expect((await service.get()).status).toBe(200)
  await kill(service.children()[0]!)
  expect(service.program.output.match(/loaded by/g)).toHaveLength(2)
  expect((await service.get()).status).toBe(200)
})

test('HUP loads the new code in a mold of its own; one that fails leaves the old serving', async () => {
  const service = preload(`require('node:http').createServer((q, r) => r.end('old')).listen(3000)`, ['-w', '2'])
  await service.program.line('all workers are ready')
  const file = join(service.folder, 'app.js')
  writeFileSync(file, 'throw new Error("broken on purpose")')
  service.program.signal('SIGHUP')
  await service.program.line(/reload failed: .*broken on purpose/)
  expect((await service.get()).body).toBe('old')
  writeFileSync(file, `require('node:http').createServer((q, r) => r.end('new')).listen(3000)`)
  service.program.signal('SIGHUP')
  await service.program.line('the new generation serves')
  await service.program.lines(/worker left worker=1:/, 2)
  expect((await service.get()).body).toBe('new')
  // Two workers and one mold.
  await until(() => service.children().length <= 3)
})

test('a worker holds its own descriptors only, and dies with the arbiter as the mold does', async () => {
  const service = preload(APP, ['-w', '2'])
  await service.program.line('all workers are ready')
  const children = service.children()
  const [, mold] = await service.program.line(/mold started pid=(\d+)/)
  for (const pid of children) {
    // The arbiter's control socket, self-pipe and log are not among them; a worker has one channel and one listener.
    const sockets = targetsOf(pid).filter((target) => target.startsWith('socket:'))
    expect(sockets.length).toBeGreaterThan(0)
    expect(sockets.length).toBeLessThanOrEqual(String(pid) === mold ? 3 : 6)
  }
  service.program.signal('SIGKILL')
  await service.program.ended()
  await until(() => !children.some((pid) => isAlive(pid)))
})

test('an app that throws in the mold ends with exit code 4 and its own stack', async () => {
  const service = preload('throw new TypeError("no database")', ['-w', '3'])
  expect((await service.program.ended()).code).toBe(4)
  expect(service.program.output.match(/at .*app\.js:1/g)).toHaveLength(1)
})

test('an app that hangs while it is loaded fails at the boot timeout', async () => {
  const service = preload('for (;;) {}', ['--boot-timeout', '0.5s'])
  expect((await service.program.ended()).code).toBe(3)
  expect(service.program.output).toContain('was not started in time')
})

test('what stays open is named, and refuses preload; preFork may close it', async () => {
  const app = (close: string): string => `
    require('node:http').createServer((q, r) => r.end('ok')).listen(3000)
    const child = require('node:child_process').spawn('/bin/sleep', ['1000'])
    ${close}`
  const service = preload(app(''), ['--boot-timeout', '1s'])
  expect((await service.program.ended()).code).toBe(3)
  expect(service.program.output).toMatch(/cannot be forked: .* a child process/)
  const closing = preload(
    app(`require('${dist('index.js')}').preFork(() => new Promise((ok) => { child.once('close', ok); child.kill() }))`),
    ['--boot-timeout', '5s'],
    { nodeOptions: [] },
  )
  await closing.program.line('all workers are ready')
  expect((await closing.get()).body).toBe('ok')
})

test('with preloadFallback the workers are started one by one, which is said loudly', async () => {
  const app = `
    require('node:child_process').spawn('/bin/sleep', ['1000']).unref()
    require('node:http').createServer((q, r) => r.end('ok')).listen(3000)`
  const service = preload(app, ['-w', '2', '--boot-timeout', '8s', '--preload-fallback'])
  await service.program.line('preload is given up')
  await service.program.line('all workers are ready')
  expect((await service.get()).body).toBe('ok')
  // Lets the arbiter kill what its workers leave behind.
  service.program.signal('SIGTERM')
  await service.program.ended()
})

test('timers, and random numbers drawn while loading, are told', async () => {
  const service = preload(`
    setInterval(() => {}, 100000)
    setInterval(() => {}, 100000).unref()
    clearInterval(setInterval(() => {}, 100000).unref())
    require('node:crypto').randomBytes(4)
    require('node:http').createServer((q, r) => r.end('ok')).listen(3000)`)
  await service.program.line(/timers that were made while the app was loaded tick in every worker: 2/)
  const [line] = await service.program.line(/random numbers were drawn .*/)
  expect(line).toMatch(/for all workers: [^ ]*app\.js \(randomBytes\) mold=\d+$/)
  await service.program.line('all workers are ready')
})

test('the stack of a stuck forked worker is logged', async () => {
  const service = preload(`require('node:http').createServer(function stuckForEver() { for (;;) {} }).listen(3000)`, [
    '-w',
    '1',
    '--timeout',
    '2s',
  ])
  await service.program.line('all workers are ready')
  const asked = service.get().catch((error: NodeJS.ErrnoException) => error.code)
  await service.program.line('stuckForEver')
  await service.program.line(/worker left .*signal=SIGABRT/)
  expect(await asked).toBe('ECONNRESET')
})

test('pss of forked workers is smaller than their heap: they share it', async () => {
  const service = preload(APP.replace('50_000', '500_000'), ['-w', '4'])
  await service.program.line('all workers are ready')
  const [, mold] = await service.program.line(/mold started pid=(\d+)/)
  const field = (pid: number, name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1])
  const rss = field(Number(mold), 'Rss')
  for (const pid of service.children().filter((one) => String(one) !== mold))
    expect(field(pid, 'Private_Dirty')).toBeLessThan(rss / 2)
})

test.each(['server.listen(3000)', 'export default server'])(
  'an ESM graph that awaits at its top level is forked when it has been evaluated: %s',
  async (end) => {
    const app = `
      import { createServer } from 'node:http'
      import { greeting } from './later.mjs'
      const server = createServer(async (q, r) => r.end(greeting + (await import('./after.mjs')).default))
      await new Promise((resolve) => setTimeout(resolve, 20))
      ${end}`
    const files = {
      'package.json': '{ "type": "module" }',
      'later.mjs': `
        console.log('loaded by ' + process.pid)
        export const greeting = await new Promise((resolve) => setTimeout(resolve, 20, 'awaited'))`,
      'after.mjs': `export default ' and imported late'`,
    }
    const service = preload(app, ['-w', '2'], { files })
    await service.program.line('all workers are ready')
    expect(service.program.output.match(/loaded by/g)).toHaveLength(1)
    expect((await service.get()).body).toBe('awaited and imported late')
  },
)

test('a connection that preFork closes and postFork opens again is each worker’s own', async () => {
  const seen = new Set<string>()
  const database = createServer((socket) => {
    socket.on('data', (data) => {
      seen.add(String(data))
      socket.write(`hello ${data}`)
    })
  }).listen(0, '127.0.0.1')
  await once(database, 'listening')
  const { port } = database.address() as AddressInfo
  const service = preload(
    `
    const net = require('node:net'), { once } = require('node:events')
    const { preFork, postFork } = require('${dist('index.js')}')
    let connection
    const open = async () => { connection = net.connect(${port}, '127.0.0.1'); await once(connection, 'connect') }
    const opened = open()
    preFork(async () => { await opened; connection.destroy(); await once(connection, 'close') })
    postFork(open)
    require('node:http').createServer(async (q, r) => {
      connection.write(String(process.pid))
      const [answer] = await once(connection, 'data')
      r.end(String(answer))
    }).listen(3000)`,
    ['-w', '2'],
  )
  try {
    await service.program.line('all workers are ready')
    const [, mold] = await service.program.line(/mold started pid=(\d+)/)
    const workers = service.children().filter((pid) => String(pid) !== mold)
    for (const other of workers) {
      process.kill(other, 'SIGSTOP')
      const { body } = await service.get()
      process.kill(other, 'SIGCONT')
      expect(body).toBe(`hello ${workers.find((pid) => pid !== other)}`)
    }
    expect(seen.size).toBe(2)
  } finally {
    service.program.signal('SIGTERM')
    await service.program.ended()
    database.close()
  }
})
