/** What a forked Node process can still do, and how it ends. */
import { ready, type Service, serve } from '../arbiter/service.ts'

const APP = `
const http = require('node:http')
const routes = {
  '/': () => 'pid ' + process.pid,
  '/do': async () => JSON.stringify(await abilities()),
  '/natural': () => leave(() => {}),
  '/exitcode': () => leave(() => { process.exitCode = 7 }),
  '/exit': () => setImmediate(() => process.exit(8)),
  '/throw': () => setImmediate(() => { throw new Error('thrown on purpose') }),
  '/reject': () => setImmediate(() => Promise.reject(new Error('rejected on purpose'))),
  '/signal': () => setImmediate(() => process.kill(process.pid, 'SIGTERM')),
  '/last-words': () => { process.on('exit', (code) => console.log('last words ' + code)); setImmediate(() => process.exit(9)) },
}
const server = http.createServer(async (req, res) => {
  const answer = await routes[req.url](req)
  res.setHeader('connection', 'close')
  res.end(typeof answer === 'string' ? answer : 'leaving')
}).listen(3000)
function leave(first) { first(); setImmediate(() => { server.close(); server.closeAllConnections() }) }

async function abilities() {
  const results = {}
  const fs = require('node:fs'), { promisify } = require('node:util')
  results.timer = await new Promise((resolve) => setTimeout(resolve, 5, 'rang'))
  results.file = (await fs.promises.readFile(__filename, 'utf8')).includes('abilities')
  const crypto = require('node:crypto')
  results.pbkdf2 = (await promisify(crypto.pbkdf2)('a', 'b', 1000, 16, 'sha256')).toString('hex')
  results.digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from('x'))).toString('hex').slice(0, 8)
  const zlib = require('node:zlib')
  results.zlib = (await promisify(zlib.gunzip)(await promisify(zlib.gzip)('zipped'))).toString()
  results.dns = (await require('node:dns').promises.lookup('localhost')).address.length > 0
  const inner = http.createServer((q, r) => r.end('fetched')).listen(0, '127.0.0.1')
  await require('node:events').once(inner, 'listening')
  results.fetch = await (await fetch('http://127.0.0.1:' + inner.address().port)).text()
  inner.close(); inner.closeAllConnections()
  const { Worker } = require('node:worker_threads')
  results.thread = await new Promise((resolve, reject) => new Worker('require("node:worker_threads").parentPort.postMessage(6 * 7)', { eval: true }).on('message', resolve).on('error', reject))
  results.child = (await promisify(require('node:child_process').execFile)('/bin/echo', ['spoken'])).stdout.trim()
  const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11])
  results.wasm = (await WebAssembly.instantiate(wasm)).instance.exports.add(20, 22)
  require('node:v8').setFlagsFromString('--expose-gc')
  const gc = require('node:vm').runInNewContext('gc')
  for (let n = 0; n < 5; n++) { Array.from({ length: 1e5 }, (_, i) => ({ i })); gc({ type: 'minor' }); gc() }
  results.gc = 'collected'
  results.cjs = require('./late.cjs').late
  results.esm = (await import('./late.mjs')).late
  return results
}
`
const FILES = { 'late.cjs': `exports.late = 'cjs'`, 'late.mjs': `export const late = await Promise.resolve('esm')` }

let service: Service

beforeAll(async () => {
  service = serve(
    [
      '--preload',
      '-w',
      '1',
      '--startsecs',
      '0',
      '--crash-limit',
      '0',
      '--restart-delay',
      '1ms',
      '--restart-delay-max',
      '5ms',
    ],
    {
      files: { 'app.js': APP, ...FILES },
      keep: true,
    },
  )
  await service.program.line('all workers are ready')
})

test('timers, files, crypto, zlib, dns, fetch, threads, children, WebAssembly, collections and late imports work', async () => {
  expect(JSON.parse((await service.get('/do')).body)).toEqual({
    timer: 'rang',
    file: true,
    pbkdf2: expect.stringMatching(/^[0-9a-f]{32}$/),
    digest: '2d711642',
    zlib: 'zipped',
    dns: true,
    fetch: 'fetched',
    thread: 42,
    child: 'spoken',
    wasm: 42,
    gc: 'collected',
    cjs: 'cjs',
    esm: 'esm',
  })
})

test.each([
  ['/natural', 'code=0'],
  ['/exitcode', 'code=7'],
  ['/exit', 'code=8'],
  ['/throw', 'code=1'],
  ['/reject', 'code=1'],
  ['/signal', 'signal=SIGTERM'],
  ['/last-words', 'code=9'],
])('an end by %s leaves with %s, and another worker is born', async (path, left) => {
  const mark = service.program.mark()
  await service.get(path).catch(() => undefined)
  await service.program.line(new RegExp(`worker left .*${left}\\b`), mark)
  await ready(service, 1, mark)
  if (path === '/throw') await service.program.line('thrown on purpose', mark)
  if (path === '/reject') await service.program.line('rejected on purpose', mark)
  if (path === '/last-words') await service.program.line('last words 9', mark)
})

const FORKS = Number(process.env.MONOCEROS_FORKS ?? 200)

test(`${FORKS} forks in a row, each killed after an answer: the pids that live are those that are known`, async () => {
  for (let n = 0; n < FORKS; n++) {
    const mark = service.program.mark()
    const pid = Number((await service.get()).body.split(' ')[1])
    expect(service.children()).toContain(pid)
    process.kill(pid, 'SIGKILL')
    await service.program.line(new RegExp(`worker left .*pid=${pid} signal=SIGKILL`), mark)
    await ready(service, 1, mark)
    service.program.output = service.program.output.slice(-5_000)
  }
  // The worker and its mold.
  expect(service.children()).toHaveLength(2)
}, 300_000)
