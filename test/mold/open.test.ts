/** What an app may not have open when it is forked: each is named, after the boot timeout. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { serve } from '../arbiter/service.ts'

const server = createServer((_, res) => res.end('answered'))
let port = 0

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const start = (app: () => string, more: readonly string[]) =>
  serve(['--preload', '-w', '1', '--startsecs', '0', '--boot-timeout', '1s', ...more], {
    files: { 'app.js': `${app()}\nrequire('node:http').createServer((q, r) => r.end('ok')).listen(3000)` },
    prepare: (folder) => void execFileSync('mkfifo', [join(folder, 'fifo')]),
  })

const OPEN: readonly (readonly [what: string, named: RegExp | (() => RegExp), app: () => string])[] = [
  [
    'a socket',
    () => new RegExp(`a TCP socket, descriptor .* to 127\\.0\\.0\\.1:${port}\\)`),
    () => `require('node:net').connect(${port}, '127.0.0.1')`,
  ],
  ['a pipe', /a pipe or UNIX socket/, () => PIPE],
  ['a UDP socket', /a UDP socket/, () => `require('node:dgram').createSocket('udp4').bind(0)`],
  ['a child process', /a child process/, () => `require('node:child_process').spawn('sleep', ['1000']).unref()`],
  [
    'a worker thread',
    /^1 × a thread \(a Worker by .*app\.js\), \d+ descriptors that may be of threads$/,
    () => `new (require('node:worker_threads').Worker)(${STAYS}, { eval: true }).unref()`,
  ],
  ['a request in flight', /a request in flight/, () => `require('node:fs').open('fifo', () => {})`],
  ['an idle connection of fetch', /a TCP socket/, () => `fetch('http://127.0.0.1:${port}').then((r) => r.text())`],
  ['an idle connection of an agent', /a TCP socket/, () => AGENT.replace('PORT', String(port))],
  [
    'hooks of the module loader',
    /^1 × a thread \(module\.register by .*app\.js\), \d+ descriptors that may be of threads$/,
    () => `require('node:module').register(${HOOKS})`,
  ],
  ['the inspector', /1 × a thread \(the inspector, by inspector\.open/, () => `require('node:inspector').open(0)`],
  ['a watched file', /a watched file/, () => `require('node:fs').watch('.').unref()`],
  ['an open file', /descriptor \d+ \(.*app\.js\)/, () => `require('node:fs').openSync(__filename)`],
]

const STAYS = `'setInterval(() => {}, 1000)'`
const PIPE = `new (require('node:net').Socket)({ fd: require('node:fs').openSync('fifo', 'r+') }).unref()`
const HOOKS = `'data:text/javascript,export const load = (url, context, next) => next(url, context)'`
const AGENT = `
const http = require('node:http')
http.get({ port: PORT, host: '127.0.0.1', agent: new http.Agent({ keepAlive: true }) }, (res) => res.resume())`

test.each(OPEN)('%s is an error that names it', async (_, named, app) => {
  const { program } = start(app, [])
  expect((await program.ended()).code).toBe(3)
  const [, what] = /cannot be forked: when it was loaded it had open (.*?); open them in postFork/.exec(program.output)!
  expect(what).toMatch(typeof named === 'function' ? named() : named)
})

test('what is open is named long before that, and may still close', async () => {
  const service = start(() => `require('node:fs').readFile('fifo', () => {})`, ['--boot-timeout', '600s'])
  await service.program.line(/app\.js is loaded, and is forked when it has closed .*a request in flight/)
  writeFileSync(join(service.folder, 'fifo'), '')
  await service.program.line('all workers are ready')
})

test('or a warning on request, which comes soon', async () => {
  const open = () => `require('node:fs').openSync(__filename)`
  const service = start(open, ['--preload-open', 'warn', '--boot-timeout', '600s'])
  await service.program.line(/warning .*cannot be forked: .*descriptor \d+ .*; forked all the same/)
  await service.program.line('all workers are ready')
  expect((await service.get()).body).toBe('ok')
})
