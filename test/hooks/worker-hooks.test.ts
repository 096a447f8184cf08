/** `preRequest` and `postRequest`: real workers, each way of serving and each way of going wrong. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import { join } from 'node:path'
import { type Service, type ServiceOptions, serve } from '../arbiter/service.ts'
import { ask, converse } from '../support/http.ts'
import { until } from '../support/until.ts'

/** A file of notes beside the app, written by the hooks and by the app, one line each. */
const NOTE = `
import { appendFileSync } from 'node:fs'
const note = (...what) => appendFileSync(import.meta.dirname + '/notes', what.join(' ') + '\\n')
`
const config = (hooks: string, settings = ''): string => `${NOTE} export default { ${settings} hooks: { ${hooks} } }`

const BOTH = `
preRequest(worker, req) { note('pre', worker.slot, worker.generation, worker.pid === process.pid, req.method, req.url); req.seen = 'seen' },
postRequest(worker, req, res) { note('post', worker.slot, worker.pid === process.pid, req.url, res.statusCode, res.writableFinished) },
`
const NOTE_HERE = `const note = (what) => require('node:fs').appendFileSync(__dirname + '/notes', what + '\\n');`

/** Answers with what the hook has put into the request. */
const SCRIPT = `
${NOTE_HERE}
require('node:http').createServer((req, res) => { note('app ' + req.url); res.end(String(req.seen)) }).listen(3000)
`

function start(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  options: ServiceOptions = {},
): Service {
  return serve(['-w', '1', '--startsecs', '0', ...args], { files: { 'app.js': SCRIPT, ...files }, ...options })
}

const notes = ({ folder }: Service): string[] => {
  const file = join(folder, 'notes')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}
const where = ({ folder }: Service) => ({ path: join(folder, 'http.sock') })
const served = (service: Service): Promise<unknown> => service.program.line('all workers are ready')
const warnings = ({ program }: Service): string[] => program.output.split('\n').filter((line) => / warning /.test(line))

const WAYS = [
  ['a script that listens', SCRIPT, 'app.js'],
  [
    'an exported handler',
    `${NOTE_HERE} exports.app = (req, res) => { note('app ' + req.url); res.end(String(req.seen)) }`,
    'app.js:app',
  ],
  [
    'an object with fetch',
    `${NOTE_HERE} exports.app = { fetch(request, { incoming }) { note('app ' + incoming.url); return new Response(incoming.seen) } }`,
    'app.js:app',
  ],
] as const

const BY_EXEC: readonly string[] = []
/** Without the process that is forked ahead: children are counted. */
const BY_FORK: readonly string[] = ['--preload', '--no-preload-spare']

test.each(WAYS.flatMap((way) => [BY_EXEC, BY_FORK].map((args) => [...way, args] as const)))(
  'the hooks of %s are called before and after it',
  async (_, text, app, args) => {
    const service = start({ 'app.js': text, 'monoceros.config.mjs': config(BOTH) }, args, { app })
    await served(service)
    expect((await service.get('/one')).body).toBe('seen')
    expect((await ask(where(service), { path: '/two', method: 'POST', body: 'a body' })).body).toBe('seen')
    await until(() => notes(service).length === 6)
    expect(notes(service)).toEqual([
      ...['pre 0 1 true GET /one', 'app /one', 'post 0 true /one 200 true'],
      ...['pre 0 1 true POST /two', 'app /two', 'post 0 true /two 200 true'],
    ])
    // No process for hooks, where all of them run in workers.
    expect(service.children()).toHaveLength(args.includes('--preload') ? 2 : 1)
  },
)

test.each([[BY_EXEC], [BY_FORK]])(
  'the config file is loaded before the app, which is what it is under plain node (%s)',
  async (args) => {
    const service = start(
      {
        'app.js': `
          const { fork } = require('node:child_process')
          ${NOTE_HERE}
          note(['app', require.main === module, process.argv.length, process.execArgv.filter((one) => /monoceros|hooks|import/.test(one)).length].join(' '))
          if (process.argv[2] !== 'child') require('node:http').createServer((req, res) => {
            const child = fork(__filename, ['child'])
            child.once('exit', () => res.end('done'))
          }).listen(3000)`,
        'monoceros.config.mjs': `${config(BOTH)}\nnote('config')`,
      },
      args,
    )
    await served(service)
    expect(notes(service)).toEqual(['config', 'config', 'app true 2 0'])
    await service.get()
    expect(notes(service).filter((line) => line.startsWith('app'))).toEqual(['app true 2 0', 'app true 3 0'])
  },
)

test('an ES module that is the main one stays it, and is evaluated after the config file', async () => {
  const service = start(
    {
      'app.mjs': `${NOTE} import { createServer } from 'node:http'
        note('app', import.meta.main ?? 'unknown')
        createServer((req, res) => res.end(req.seen)).listen(3000)`,
      'monoceros.config.mjs': `${config(BOTH)}\nnote('config')`,
    },
    [],
    { app: 'app.mjs' },
  )
  await served(service)
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  const knows = major >= 24 || (major === 22 && minor >= 18)
  expect(notes(service)).toEqual(['config', 'config', `app ${knows ? 'true' : 'unknown'}`])
  expect((await service.get()).body).toBe('seen')
})

test('the app waits for what preRequest promises, and no longer than hookTimeout; each fault is said once', async () => {
  const hooks = `
    preRequest(worker, req) {
      if (req.url === '/throw') throw new TypeError('thrown on purpose')
      if (req.url === '/many') throw new Error('number ' + Math.random())
      if (req.url === '/reject') return Promise.reject('a text')
      if (req.url === '/hang') return new Promise(() => {})
      if (req.url === '/odd') return { then: 1 }
      return new Promise((resolve) => setImmediate(() => { req.seen = 'later'; resolve() }))
    },
    postRequest(worker, req) {
      if (req.url === '/throw') throw new Error('thrown afterwards')
      if (req.url === '/reject') return Promise.reject(new Error('rejected afterwards'))
      if (req.url === '/hang') return new Promise(() => {})
    },`
  const service = start({ 'monoceros.config.mjs': config(hooks, `hookTimeout: '200ms',`) })
  await served(service)
  expect((await service.get('/')).body).toBe('later')
  for (const path of ['/throw', '/reject', '/hang', '/odd', '/throw', '/reject', '/hang'])
    expect(await service.get(path)).toMatchObject({ status: 200, body: 'undefined' })
  const { program } = service
  await program.line(/hook preRequest threw: TypeError: thrown on purpose \(at .*monoceros\.config\.mjs:\d+:\d+\)/)
  await program.line(`hook preRequest threw: 'a text'`)
  await program.line('hook preRequest takes longer than 200ms; nobody waits for it any more')
  await program.line('hook postRequest threw: Error: thrown afterwards')
  await program.line('hook postRequest threw: Error: rejected afterwards')
  await program.line('hook postRequest takes longer than 200ms')
  expect(warnings(service)).toHaveLength(6)
  for (let n = 0; n < 50; n++) expect((await service.get('/many')).status).toBe(200)
  await program.line('nothing more is said of hooks that throw')
  expect(warnings(service)).toHaveLength(21)
  expect((await service.get('/')).body).toBe('later')
  expect(service.children()).toHaveLength(1)
})

test('what the app throws after a wait is an uncaught exception as ever, and its context is the one of the hook', async () => {
  const service = start({
    'app.js': `
      const { contexts } = require('./contexts.cjs')
      process.on('uncaughtException', (error) => console.log('uncaught ' + error.message))
      require('node:http').createServer((req, res) => {
        if (req.url === '/throw') { setImmediate(() => res.end('thrown')); throw new Error('of the app') }
        res.end(String(contexts.getStore()))
      }).listen(3000)`,
    'contexts.cjs': `exports.contexts = new (require('node:async_hooks').AsyncLocalStorage)()`,
    'monoceros.config.mjs': `import { contexts } from './contexts.cjs'
      export default { hooks: { preRequest(worker, req) {
        contexts.enterWith('context of ' + req.url)
        return req.url === '/sync' ? undefined : new Promise((resolve) => setTimeout(resolve, 5))
      } } }`,
  })
  await served(service)
  expect((await service.get('/sync')).body).toBe('context of /sync')
  expect((await service.get('/async')).body).toBe('context of /async')
  expect((await service.get('/throw')).body).toBe('thrown')
  await service.program.line('uncaught of the app')
  expect(warnings(service)).toEqual([])
})

/** `/slow` waits in the hook until `/go` is asked for. */
const SLOW = `
preRequest(worker, req) {
  note('pre', req.url)
  if (req.url === '/slow') return new Promise((resolve) => { globalThis.go = resolve })
  if (req.url === '/go') globalThis.go()
},
postRequest(worker, req, res) { note('post', req.url, res.writableFinished) },`

test('pipelined requests are answered in their order, bodies arrive whole, and postRequest is called once for each', async () => {
  const app = `
    ${NOTE_HERE}
    require('node:http').createServer(async (req, res) => {
      let body = ''
      for await (const chunk of req) body += chunk
      res.end(req.url + '=' + body.length + ';')
    }).listen(3000)`
  const service = start({ 'app.js': app, 'monoceros.config.mjs': config(SLOW) })
  await served(service)
  const conversation = await converse(where(service))
  const post = (path: string, bytes: number) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`
  conversation.send(post('/slow', 2) + post('/second', 3))
  await until(() => notes(service).includes('pre /second'))
  await service.get('/go')
  await conversation.until('/second=3;')
  expect(conversation.received.indexOf('/slow=2;')).toBeGreaterThan(0)
  expect(conversation.received.indexOf('/slow=2;')).toBeLessThan(conversation.received.indexOf('/second=3;'))
  // More than a request holds that nobody reads.
  conversation.send(post('/slow', 1_000_000))
  await until(() => notes(service).filter((line) => line === 'pre /slow').length === 2)
  await service.get('/go')
  await conversation.until('/slow=1000000;')
  conversation.send('GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await conversation.closed()
  await until(() => notes(service).includes('post /last true'))
  const after = notes(service).filter((line) => line.startsWith('post'))
  const expected = ['/go', '/go', '/last', '/second', '/slow', '/slow'].map((path) => `post ${path} true`)
  expect(after.sort()).toEqual(expected)
  expect(warnings(service)).toEqual([])
})

test('a client that goes away while its request waits is not served, and postRequest is told once', async () => {
  const service = start({ 'monoceros.config.mjs': config(SLOW) })
  await served(service)
  const conversation = await converse(where(service))
  conversation.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => notes(service).includes('pre /slow'))
  conversation.destroy()
  await until(() => notes(service).includes('post /slow false'))
  await service.get('/go')
  await service.get('/last')
  await until(() => notes(service).includes('post /last true'))
  expect(notes(service)).toEqual([
    ...['pre /slow', 'post /slow false', 'pre /go', 'app /go', 'post /go true'],
    ...['pre /last', 'app /last', 'post /last true'],
  ])
})

test('a request that waits is in flight: a drain lets it come to its end', async () => {
  const hooks = `preRequest(worker, req) { if (req.url === '/slow') { console.log('it waits'); return new Promise((resolve) => process.once('monoceros:drain', resolve)) } }`
  const service = start({ 'monoceros.config.mjs': config(hooks) })
  await served(service)
  const slow = service.get('/slow')
  await service.program.line('it waits')
  service.program.signal('SIGTERM')
  expect((await slow).status).toBe(200)
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
})

test('an upgrade that the app takes over has no hooks; one that it does not is a request as any other', async () => {
  const app = `
    const server = require('node:http').createServer((req, res) => res.end('plain')).listen(3000)
    if (process.env.TAKES) server.on('upgrade', (req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\ntaken'))`
  const request = 'GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
  const files = { 'app.js': app, 'monoceros.config.mjs': config(BOTH) }
  const takes = start(files, [], { env: { TAKES: '1' } })
  await served(takes)
  const conversation = await converse(where(takes))
  conversation.send(request)
  expect(await conversation.closed()).toContain('taken')
  await takes.get('/after')
  await until(() => notes(takes).length === 2)
  expect(notes(takes).join()).not.toContain('/up')
  const leaves = start(files)
  await served(leaves)
  const other = await converse(where(leaves))
  other.send(request)
  await other.until('plain')
  await until(() => notes(leaves).length === 2)
  expect(notes(leaves)[0]).toBe('pre 0 1 true GET /up')
})

test("the app's own http2 server has them too", async () => {
  const app = `require('node:http2').createServer((req, res) => res.end(req.seen)).listen(3000)`
  const service = start({ 'app.js': app, 'monoceros.config.mjs': config(BOTH) })
  await served(service)
  const session = http2.connect('http://localhost', { createConnection: () => net.connect(where(service)) })
  const stream = session.request({ ':path': '/two' })
  let body = ''
  for await (const chunk of stream.setEncoding('utf8')) body += chunk
  expect(body).toBe('seen')
  await until(() => notes(service).includes('post 0 true /two 200 true'))
  session.destroy()
})

test('a reload takes the new functions, with the new generation; a file that fails in the worker leaves the old one', async () => {
  const service = start({
    'monoceros.config.mjs': config(`preRequest(worker, req) { req.seen = 'first ' + worker.generation }`),
  })
  const { program, folder } = service
  // A worker of before may take a last connection when the new ones serve already.
  const says = (text: string) => until(async () => (await service.get()).body === text)
  await served(service)
  expect((await service.get()).body).toBe('first 1')
  const file = join(folder, 'monoceros.config.mjs')
  const write = (text: string): number => {
    writeFileSync(file, text)
    const mark = program.mark()
    program.signal('SIGHUP')
    return mark
  }
  let mark = write(config(`preRequest: async (worker, req) => { req.seen = 'second ' + worker.generation }`))
  await program.line('the new generation serves', mark)
  await says('second 2')
  mark = write(`if (!process.argv[1].endsWith('evaluator.js')) throw new Error('not in a worker')\n${config(BOTH)}`)
  await program.line(
    /reload failed: hooks: .*monoceros\.config\.mjs cannot be loaded in a worker: Error: not in a worker/,
    mark,
  )
  expect((await service.get()).body).toBe('second 2')
  mark = write(config(''))
  await program.line('the new generation serves', mark)
  await says('undefined')
})

const FAILING = [
  ['throws', `throw new Error('not in a worker')`, /cannot be loaded in a worker: Error: not in a worker/],
  ['says something else', 'throws = false', /has no hook preRequest when it is loaded in a worker/],
  ['never settles', 'await new Promise(() => {})', /waits for something that never comes/],
] as const

test.each(FAILING.flatMap((way) => [BY_EXEC, BY_FORK].map((args) => [...way, args] as const)))(
  'a config file that %s when it is loaded for a worker ends the boot in one clear line',
  async (_, statement, words, args) => {
    const text = `
      let throws = true
      if (!process.argv[1].endsWith('evaluator.js')) { ${statement} }
      export default { crashLimit: 1, hooks: throws ? { preRequest() {} } : {} }`
    const service = start({ 'monoceros.config.mjs': text }, args)
    expect((await service.program.ended()).code).toBe(4)
    const said = service.program.output.split('\n').filter((line) => words.test(line))
    expect(said.length).toBeGreaterThan(0)
    expect(service.program.output).not.toMatch(/^ +at /m)
  },
)

test('a config file in TypeScript is loaded where Node can, and refused in one line where it cannot', async () => {
  const text = `export default { hooks: { preRequest(worker: { slot: number }, req: any): void { req.seen = 'typed ' + worker.slot } } }`
  const service = start({ 'monoceros.config.ts': text })
  if ((process.features as { typescript?: unknown }).typescript) {
    await served(service)
    expect((await service.get()).body).toBe('typed 0')
  } else {
    expect((await service.program.ended()).code).not.toBe(0)
    expect(service.program.output).toContain('cannot load TypeScript')
  }
})

test('workers of another user need to be able to read it, and one line says so', async () => {
  const prepare = (folder: string) => {
    chmodSync(folder, 0o755)
    chmodSync(join(folder, 'monoceros.config.mjs'), 0o600)
  }
  const service = start({ 'monoceros.config.mjs': `export default { hooks: { preRequest() {} } }` }, ['-u', 'daemon'], {
    prepare,
  })
  if (process.getuid!() !== 0) {
    // Nobody else may be made of a worker; that is another test's line.
    expect((await service.program.ended()).code).not.toBe(0)
    return
  }
  expect((await service.program.ended()).code).toBe(4)
  expect(service.program.output).toMatch(
    /monoceros\.config\.mjs cannot be loaded in a worker: Error: EACCES.*; with hooks for workers it must be readable to their user/,
  )
})

/** It may have left by itself since it was listed: to be the mold, or as the one that was. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

test('workers that are forked from a worker have the hooks, and are who they are', async () => {
  const hooks = `preRequest(worker, req) { req.seen = worker.pid === process.pid ? 'itself' : 'another' }`
  const service = start({ 'monoceros.config.mjs': config(hooks) }, [
    '--preload',
    '--refork-after',
    '10',
    '--restart-delay',
    '1ms',
  ])
  await served(service)
  await until(async () => {
    await service.get().catch(() => undefined)
    return service.program.output.includes('mold has proved itself')
  })
  const mark = service.program.mark()
  for (const pid of service.children()) {
    const forked = new RegExp(`worker ready worker=\\S+ pid=${pid}$`, 'm').test(service.program.output)
    if (forked) killIfAlive(pid)
  }
  await service.program.line('worker ready', mark)
  expect((await service.get()).body).toBe('itself')
})
