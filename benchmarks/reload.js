/**
 * `npm run bench -- reload [--target monoceros,pm2,cluster,gunicorn] [--signals none,exits,closes] [--reloads 100]
 *  [--broken throws,exits,hangs] [--kill]`
 *
 * Reloads while three kinds of clients ask, with GET and with 100 KB POST: over keep-alive connections, with a connection
 * a request, and through nginx with upstream keep-alive. Counts what failed, by client, and ends with a table. With
 * `--kill` a worker is killed by SIGKILL between any two reloads; it may cost as many requests as it has connections at
 * that moment (`reload/kills.js`), and no other; else the exit code is 1. All clients are our own then, because wrk does
 * not tell when and where a request failed. Needs wrk, nginx and ss; pm2 and gunicorn are installed into
 * a temporary folder.
 */
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { parseArgs } = require('node:util')
const { BODY, load, nginx, wrk } = require('./reload/clients.js')
const { Kills } = require('./reload/kills.js')
const { table } = require('./support/figures.js')
const { TARGETS } = require('./reload/targets.js')

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'monoceros' },
    signals: { type: 'string', default: 'none,exits' },
    reloads: { type: 'string', default: '100' },
    broken: { type: 'string' },
    kill: { type: 'boolean', default: false },
    port: { type: 'string', default: '18700' },
    verbose: { type: 'boolean', default: false },
  },
})
const reloads = Number(values.reloads)
const folder = mkdtempSync(join(tmpdir(), 'monoceros-bench-'))
const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A request that has no answer by then has failed, milliseconds; as in test/support/load.js. */
const PATIENCE = 15_000

/** A port for each run: connections of the one before may still be there. */
let port = Number(values.port)

async function measure(name, signals, broken) {
  port += 2
  const env = { ...process.env, APP_FOLDER: folder, APP_SIGNALS: signals }
  delete env.npm_config_nodedir
  const options = broken === 'hangs' ? ['--boot-timeout', '2s'] : broken ? [] : ['--startsecs', '0.3']
  rmSync(join(folder, 'broken'), { force: true })
  const target = await TARGETS[name]({ port, env, folder, options })
  const stopNginx = await nginx(port + 1, port, folder)
  // Each failure is told of, not some.
  const all = values.kill ? { samples: 1_000_000 } : {}
  const post = { method: 'POST', bytes: BODY }
  const many = (to, connections, isPost = false) =>
    values.kill
      ? load({ port: to, ...(isPost && post), connections, ...all })
      : wrk(to, { connections, patience: PATIENCE, post: isPost, folder })
  const clients = {
    'keep-alive GET': many(port, 8),
    'keep-alive POST': load({ port, ...post, connections: 2, pause: 2, ...all }),
    'one request GET': load({ port, connections: 2, keepAlive: false, ...all }),
    'one request POST': load({ port, ...post, connections: 1, keepAlive: false, ...all }),
    'nginx GET': many(port + 1, 4),
    'nginx POST': many(port + 1, 2, true),
  }
  const outcomes = {}
  const kills = values.kill ? new Kills(port) : null
  const begun = performance.now()
  try {
    await delay(1000)
    if (broken) writeFileSync(join(folder, 'broken'), broken)
    for (let n = 0; n < reloads; n++) {
      const outcome = await target.reload()
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      await delay(200)
      await kills?.kill(target.workers())
    }
  } finally {
    const seconds = (performance.now() - begun) / 1000
    const stopped = await Promise.all(Object.entries(clients).map(async ([client, { stop }]) => [client, await stop()]))
    await stopNginx()
    await target.stop()
    show({ name, signals, broken, outcomes, seconds, kills, stopped })
  }
}

function show({ name, signals, broken, outcomes, seconds, kills, stopped }) {
  const title = [name, `SIGTERM handler: ${signals}`, ...(broken ? [`new version ${broken}`] : [])].join(', ')
  const count = Object.entries(outcomes).map(([outcome, n]) => `${n} × ${outcome}`)
  console.log(`\n${title}: ${count.join(', ')}; ${(seconds / reloads).toFixed(2)} s a reload`)
  for (const [client, { answered, failed, what, samples = [] }] of stopped) {
    const why = failed === 0 ? '' : `  ${JSON.stringify(what)}`
    console.log(
      `  ${client.padEnd(18)} ${String(answered).padStart(9)} answered ${String(failed).padStart(7)} failed${why}`,
    )
    if (values.verbose) for (const sample of samples) console.log(`    ${JSON.stringify(sample)}`)
  }
  const verdict = kills?.judge(stopped)
  if (verdict) {
    for (const line of verdict.lines) console.log(`  ${line}`)
    if (verdict.strays > 0) process.exitCode = 1
  }
  const sum = (of, key) => of.reduce((total, [, result]) => total + result[key], 0)
  const posts = stopped.filter(([client]) => client === 'nginx POST')
  const all = Object.values(outcomes).reduce((total, n) => total + n, 0)
  rows.push([
    name,
    [signals, broken].filter(Boolean).join(', '),
    all,
    (seconds / all).toFixed(2),
    sum(stopped, 'answered'),
    sum(stopped, 'failed') - sum(posts, 'failed'),
    sum(posts, 'failed'),
    ...(verdict ? [verdict.connections, verdict.strays] : []),
  ])
}

const rows = [
  [
    'target',
    values.broken ? 'SIGTERM handler, new version' : 'SIGTERM handler',
    'reloads',
    's a reload',
    'requests',
    'failed',
    'failed POSTs through nginx',
    ...(values.kill ? ['connections of those killed', 'failed, but not by a kill'] : []),
  ],
]

async function main() {
  for (const name of values.target.split(','))
    for (const signals of values.signals.split(','))
      for (const broken of values.broken?.split(',') ?? [null]) await measure(name, signals, broken)
}

main()
  .finally(() => {
    rmSync(folder, { recursive: true, force: true })
    console.log('')
    table(rows)
  })
  .catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
