/**
 * An app that is asked over HTTP what a forked Node can still do, and then to end in one of the ways in which a process
 * ends. Every end says its last words in an `exit` handler, so that what was not flushed is missed.
 */
const ABILITIES = `
async function abilities() {
  const results = {}
  results.timer = await new Promise((resolve) => setTimeout(resolve, 2, 'rang'))
  results.file = (await fs.promises.readFile(__filename, 'utf8')).includes('abilities')
  results.pbkdf2 = (await promisify(crypto.pbkdf2)('a', 'b', 1000, 16, 'sha256')).toString('hex')
  results.digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from('x'))).toString('hex').slice(0, 8)
  results.zlib = (await promisify(zlib.gunzip)(await promisify(zlib.gzip)('zipped'))).toString()
  results.dns = (await require('node:dns').promises.lookup('localhost')).address.length > 0
  const inner = http.createServer((q, r) => r.end('fetched')).listen(0, '127.0.0.1')
  await once(inner, 'listening')
  results.fetch = await (await fetch('http://127.0.0.1:' + inner.address().port)).text()
  inner.close(); inner.closeAllConnections()
  const { Worker } = require('node:worker_threads')
  const thread = new Worker('require("node:worker_threads").parentPort.postMessage(6 * 7)', { eval: true })
  results.thread = await new Promise((resolve, reject) => thread.on('message', resolve).on('error', reject))
  await thread.terminate()
  results.child = (await promisify(require('node:child_process').execFile)('/bin/echo', ['spoken'])).stdout.trim()
  // (a, b) => a + b
  const sum = '0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b'
  results.wasm = (await WebAssembly.instantiate(Buffer.from(sum, 'hex'))).instance.exports.add(20, 22)
  for (let n = 0; n < 3; n++) { Array.from({ length: 20_000 }, (_, i) => ({ i })); gc({ type: 'minor' }); gc() }
  results.collected = v8.getHeapStatistics().used_heap_size > 0
  results.cjs = require('./late.cjs').late
  results.esm = (await import('./late.mjs')).late
  return results
}`

/** What every process must find. The values that can be known are RFC test vectors or plain sums. */
export const FOUND = {
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
  collected: true,
  cjs: 'cjs',
  esm: 'esm',
}

/** Each way to end, and what is seen of it: an exit code or a signal, and lines of the output; `PID` is the process's. */
export const WAYS: Readonly<Record<string, { readonly left: string; readonly says: readonly string[] }>> = {
  natural: { left: 'code=0', says: ['last words PID 0'] },
  exitCode: { left: 'code=7', says: ['last words PID 7'] },
  exit: { left: 'code=8', says: ['last words PID 8'] },
  throw: { left: 'code=1', says: ['last words PID 1', "throw new Error('thrown by '", 'Error: thrown by PID'] },
  reject: { left: 'code=1', says: ['rejected by PID', 'last words PID 1'] },
  unsettled: { left: 'code=13', says: ['last words PID 13'] },
  signal: { left: 'signal=SIGTERM', says: ['signals PID'] },
  changed: { left: 'code=9', says: ['last words PID 3'] },
  exitInExit: { left: 'code=3', says: ['last words PID 0'] },
  throwInExit: { left: 'code=0', says: ['last words PID 0', 'Error: thrown at the exit of PID'] },
  naturalThrow: { left: 'code=1', says: ['last words PID 0', 'Error: thrown at the exit of PID'] },
  naturalCaught: { left: 'code=0', says: ['last words PID 0', 'caught at the exit of PID'] },
  throwInHandler: { left: 'code=7', says: ['Error: thrown again by PID'] },
  throwInMonitor: { left: 'code=7', says: ['Error: thrown again by PID'] },
  throwInCapture: { left: 'code=7', says: ['Error: thrown again by PID'] },
  throwInDomain: { left: 'code=7', says: ['Error: thrown by PID'] },
  exitInHandler: { left: 'code=44', says: ['last words PID 44'] },
  throwUnshown: { left: 'code=1', says: ['last words PID 1'] },
  throwNoStack: { left: 'code=1', says: ['last words PID 1'] },
  exitPatched: { left: 'code=6', says: ['last words PID 6', 'leaves after all PID'] },
  reallyExit: { left: 'code=9', says: ['really leaves PID'] },
  emitExit: { left: 'code=5', says: ['last words PID 0', 'goes on PID', 'last words PID 5'] },
}

/** How much a process writes before it ends: less than a pipe holds, so that not even Node may lose any. */
export const LENGTH = 40_000

/** The app's files; `app.mjs` is at its top level until it ends, `app.cjs` is through. */
export const ableFiles = (): Readonly<Record<string, string>> => ({
  'able.cjs': `
const crypto = require('node:crypto'), fs = require('node:fs'), http = require('node:http'), v8 = require('node:v8')
const zlib = require('node:zlib'), { once } = require('node:events'), { inspect, promisify } = require('node:util')
v8.setFlagsFromString('--expose-gc')
const gc = require('node:vm').runInNewContext('gc')
${ABILITIES}
const fail = (text) => { throw new Error(text + ' ' + process.pid) }
const close = () => { server.close(); server.closeAllConnections() }
const ways = {
  natural: close,
  exitCode: () => { process.exitCode = 7; close() },
  exit: () => process.exit(8),
  throw: () => { throw new Error('thrown by ' + process.pid) },
  reject: () => Promise.reject(new Error('rejected by ' + process.pid)),
  unsettled: close,
  signal: () => process.kill(process.pid, 'SIGTERM'),
  changed: () => { process.on('exit', () => { process.exitCode = 9 }); process.exit(3) },
  exitInExit: () => { process.on('exit', () => process.exit(3)); process.exit() },
  throwInExit: () => { process.on('exit', () => fail('thrown at the exit of')); process.exit(0) },
  naturalThrow: () => { process.on('exit', () => fail('thrown at the exit of')); close() },
  naturalCaught: () => {
    process.on('uncaughtException', () => console.log('caught at the exit of ' + process.pid))
    ways.naturalThrow()
  },
  throwInHandler: () => { process.on('uncaughtException', () => fail('thrown again by')); ways.throw() },
  throwInMonitor: () => { process.on('uncaughtExceptionMonitor', () => fail('thrown again by')); ways.throw() },
  throwInCapture: () => {
    process.setUncaughtExceptionCaptureCallback(() => fail('thrown again by'))
    ways.throw()
  },
  throwInDomain: () => {
    const domain = require('node:domain').create().on('error', (error) => { throw error })
    domain.run(() => setImmediate(ways.throw))
  },
  exitInHandler: () => { process.on('uncaughtException', () => process.exit(44)); ways.throw() },
  throwUnshown: () => { throw { [inspect.custom]() { throw new Error('cannot be shown') } } },
  throwNoStack: () => {
    throw Object.defineProperty(new Error('x'), 'stack', { get() { throw new Error('no stack') } })
  },
  exitPatched: () => { // as signal-exit does
    const leave = process.reallyExit
    process.reallyExit = (code) => { console.log('leaves after all ' + process.pid); leave.call(process, code) }
    process.exit(6)
  },
  reallyExit: () => { console.log('really leaves ' + process.pid); process.reallyExit(9) },
  emitExit: () => { process.emit('exit', 0); console.log('goes on ' + process.pid); process.exit(5) },
}
exports.finished = new Promise((resolve) => { exports.finish = resolve })
const server = http.createServer(async (req, res) => {
  const way = req.url.slice(1)
  res.setHeader('connection', 'close')
  if (way === 'do') return res.end(JSON.stringify(await abilities().catch((error) => error.stack)))
  if (way === '') return res.end('pid ' + process.pid)
  if (way !== 'unsettled') exports.finish()
  process.on('exit', (code) => console.log('last words ' + process.pid + ' ' + (process.exitCode ?? code)))
  console.log('x'.repeat(${LENGTH}) + ' of ' + process.pid)
  if (way === 'signal') console.log('signals ' + process.pid)
  res.end('leaving')
  res.once('close', () => setImmediate(ways[way]))
}).listen(process.env.PORT ?? 3000, () => console.log('port ' + server.address().port))
`,
  'app.mjs': `
import able from './able.cjs'
await able.finished
`,
  'app.cjs': `require('./able.cjs')`,
  'late.cjs': `exports.late = 'cjs'`,
  'late.mjs': `export const late = await Promise.resolve('esm')`,
})
