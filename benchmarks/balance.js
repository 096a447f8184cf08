/**
 * `npm run bench -- balance [--loads 100/s,kept]`: how evenly eight workers are loaded, with one listener that all share and with one for each
 * (`reusePort`), and what that does to the time that an answer takes. Three loads: short connections at a low rate, short
 * connections as fast as they go, the same with some requests that take long, and connections that are all opened at once
 * and kept. A request costs its worker about a millisecond, a long one 100; what long ones take is not shown.
 */
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const http = require('node:http')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { parseArgs } = require('node:util')

const { values } = parseArgs({ options: { loads: { type: 'string', default: '' } } })
const words = values.loads.split(',')
const WORKERS = 8
const CLI = join(__dirname, '..', 'dist', 'cli', 'monoceros.js')
const folder = mkdtempSync(join(tmpdir(), 'monoceros-balance-'))
const app = join(folder, 'app.js')
writeFileSync(
  app,
  `require('node:http').createServer((req, res) => {
    const until = performance.now() + (req.url === '/long' ? 100 : 1)
    while (performance.now() < until);
    res.end(String(process.pid))
  }).listen(8000)`,
)

const LOADS = {
  'short connections, 100/s': (port) => paced(port, 100, 10),
  'short connections, 16 at once': (port) => flood(port, 16, 6_000),
  'short, 50/s, one of 50 is long': (port) => paced(port, 50, 20, 50),
  '32 kept connections': (port) => kept(port, 32, 6_000),
  '256 kept connections': (port) => kept(port, 256, 8_000),
}

const results = () => ({ by: new Map(), times: [] })

function one(port, agent, found, path = '/') {
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path, agent }, (response) => {
      let pid = ''
      response.setEncoding('utf8').on('data', (text) => {
        pid += text
      })
      response.on('end', () => {
        found.by.set(pid, (found.by.get(pid) ?? 0) + 1)
        found.times.push(performance.now() - begun)
        resolve()
      })
    })
    request.on('error', reject)
  })
}

/** So many a second, for so many seconds; one of `long` takes long. */
async function paced(port, rate, seconds, long = 0) {
  const found = results()
  const asked = []
  const begun = performance.now()
  for (let n = 0; n < rate * seconds; n++) {
    const wait = begun + (n * 1000) / rate - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    asked.push(long > 0 && n % long === 0 ? one(port, false, results(), '/long') : one(port, false, found))
  }
  await Promise.all(asked)
  return found
}

async function flood(port, width, count) {
  const found = results()
  let left = count
  const work = async () => {
    while (left-- > 0) await one(port, false, found)
  }
  await Promise.all(Array.from({ length: width }, work))
  return found
}

/** Each connection asks one after the other; what is counted is where the connections went. */
async function kept(port, width, count) {
  const found = results()
  let left = count
  const work = async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    while (left-- > 0) await one(port, agent, found)
    agent.destroy()
  }
  await Promise.all(Array.from({ length: width }, work))
  return found
}

async function serve(options) {
  const child = spawn(process.execPath, [CLI, app, '-w', String(WORKERS), '-b', '127.0.0.1:0', ...options])
  let output = ''
  const port = await new Promise((resolve, reject) => {
    child.on('exit', () => reject(new Error(output)))
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text
      if (output.includes('all workers are ready')) resolve(Number(/127\.0\.0\.1:(\d+)/.exec(output)[1]))
    })
  })
  return {
    port,
    async stop() {
      child.removeAllListeners('exit')
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(1)

async function main() {
  const wanted = Object.entries(LOADS).filter(([load]) => words.some((word) => load.includes(word)))
  console.log('mode'.padEnd(10), 'load'.padEnd(32), 'share of each worker in %'.padEnd(44), 'p50 ms  p99 ms')
  for (const [load, run] of wanted) {
    for (const [mode, options] of [
      ['shared', []],
      ['reusePort', ['--reuse-port']],
    ]) {
      const { port, stop } = await serve(options)
      const { by, times } = await run(port)
      const shares = [...by.values()].map((count) => (100 * count) / times.length)
      while (shares.length < WORKERS) shares.push(0)
      shares.sort((a, b) => b - a)
      times.sort((a, b) => a - b)
      const text = shares.map((share) => share.toFixed(1).padStart(4)).join(' ')
      console.log(
        mode.padEnd(10),
        load.padEnd(32),
        text.padEnd(44),
        at(times, 0.5).padStart(6),
        at(times, 0.99).padStart(7),
      )
      await stop()
    }
  }
}

main()
  .finally(() => rmSync(folder, { recursive: true, force: true }))
  .catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
