/**
 * Requests a second of one server process on core 0, wrk on core 1, round after round in turn:
 *
 * - `node`: node:http; `engine`: monoceros; `engine-each`: monoceros when each response leaves at once;
 * - `ceiling`: Node's stock request and response objects without any parsing, on sockets that read into one buffer as the
 *   engine's do; `ceiling-stream`: the same on the streams of `net`;
 * - `net`, `net-stream`: a server that answers without looking, the limit, on the same two kinds of socket.
 *
 *     npm run bench -- http [--rounds 3] [--seconds 1] [--apps plain,fastify,express,koa] [--loads bare,json] [--sides node,engine]
 *                           [--frameworks FOLDER] [--record FILE] [--node 22] [--semi-space 16]
 *     npm run bench -- http --table FILE
 *
 * FOLDER holds express, fastify and koa, installed. Every ratio is one of requests a second within a round; behind it the
 * lowest and the highest. A round of one side takes 3 s and a little. `--node` has the servers run by another version of
 * Node. `--semi-space`: with a young generation of that size (MB) from the start, which a server comes to
 * in minutes, some in seconds. `--record` appends what the rounds gave to a file, so that a table can be measured in pieces; `--table FILE` prints
 * all that was recorded in it as a Markdown table. Under `chrt -f 10` the servers are ahead of everything else on the
 * machine, their helper threads ahead of them.
 */
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { appendFileSync, readdirSync, readFileSync } = require('node:fs')
const { join } = require('node:path')
const { parseArgs } = require('node:util')
const { LOADS } = require('./http-loads.js')
const { median, spread, table } = require('./support/figures.js')
const { helpersFirst, priority } = require('./support/priority.js')
const { wrk } = require('./support/wrk.js')
const { exactVersion, nodeOf } = require('../test/support/node-versions.js')

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '32' },
    apps: { type: 'string', default: 'plain,fastify,express,koa' },
    loads: { type: 'string', default: Object.keys(LOADS).join() },
    sides: { type: 'string', default: 'node,engine,engine-each,ceiling,ceiling-stream,net,net-stream' },
    frameworks: { type: 'string' },
    record: { type: 'string' },
    table: { type: 'string' },
    node: { type: 'string' },
    'semi-space': { type: 'string' },
  },
})

/** Title → what stands in the column of a row; one that is empty in all rows is left out. */
const COLUMNS = {
  app: ({ app }) => app,
  load: ({ load }) => load,
  'node:http, /s': ({ results }) => whole(results.get('node'), 'rate'),
  'monoceros, /s': ({ results }) => whole(results.get('engine'), 'rate'),
  'of node:http': ({ results }) => against(results, 'engine', 'node'),
  'of ceiling': ({ results }) => against(results, 'engine', 'ceiling'),
  'each at once: of node:http': ({ results }) => against(results, 'engine-each', 'node'),
  'each at once: of ceiling': ({ results }) => against(results, 'engine-each', 'ceiling'),
  'each at once: of ceiling on streams': ({ results }) => against(results, 'engine-each', 'ceiling-stream'),
  'net of node:http': ({ results }) => against(results, 'net', 'node'),
  'p99 node:http, ms': ({ results }) => spread(results.get('node').map((run) => run.p99)),
  'p99 monoceros, ms': ({ results }) => spread(results.get('engine').map((run) => run.p99)),
}

/**
 * Seconds. When the first connections are closed, the compiler learns what it had not reckoned with, throws away code and
 * compiles it anew: that is over in the second run.
 */
const WARM_UPS = [2, 1]
const seconds = Number(values.seconds)
const connections = Number(values.connections)
const node = values.node === undefined ? process.execPath : nodeOf(values.node)
const version = exactVersion(node)

async function main() {
  if (values.table !== undefined) {
    tabulate(values.table)
    return
  }
  console.log(
    `node ${version}, ${values.rounds} rounds of ${seconds} s, ${connections} connections, ` +
      `${priority() > 0 ? 'at real-time priority' : 'beside everything else on the machine'}`,
  )
  for (const app of values.apps.split(',')) {
    if (app !== 'plain' && values.frameworks === undefined) {
      console.log(`${app}: left out, --frameworks FOLDER says where it is installed`)
      continue
    }
    const sides = values.sides.split(',').filter((side) => app === 'plain' || !/^(ceiling|net)/.test(side))
    for (const load of values.loads.split(',')) {
      const results = await row(app, load, sides)
      print(app, load, results)
      if (values.record !== undefined) record(values.record, app, load, results)
    }
  }
}

/** Side → what each round gave. */
async function row(app, load, sides) {
  const results = new Map(sides.map((side) => [side, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      results.get(side).push(await measure(side, app, load))
    }
  }
  return results
}

/** By a process of its own: what the compiler makes of the same code differs from one to the next. */
async function measure(side, app, load) {
  const server = await start(side, app, load)
  try {
    for (const time of WARM_UPS) request(server, load, time)
    const before = cpu(server.pid)
    const seen = request(server, load, seconds)
    return { ...seen, cpu: (cpu(server.pid) - before) / seen.requests }
  } finally {
    server.child.kill('SIGKILL')
    await once(server.child, 'exit')
  }
}

async function start(side, app, load) {
  const script = join(__dirname, 'http-server.js')
  const size = values['semi-space']
  const options = size === undefined ? [] : [`--min-semi-space-size=${size}`, `--max-semi-space-size=${size}`]
  const child = spawn('taskset', ['-c', '0', node, ...options, script, side, app, load, values.frameworks ?? ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(child.stdout.setEncoding('utf8'), 'data')
  helpersFirst(child.pid)
  return { child, pid: child.pid, url: `http://127.0.0.1:${port.trim()}/` }
}

function request({ url }, load, seconds) {
  const { request, times } = LOADS[load]
  return wrk(url, request.repeat(times), { connections, seconds })
}

/** Microseconds that all threads of a process have run (schedstats.rst). */
function cpu(pid) {
  const folder = `/proc/${pid}/task`
  const times = readdirSync(folder).map((task) => readFileSync(join(folder, task, 'schedstat'), 'utf8').split(' ')[0])
  return times.reduce((sum, nanoseconds) => sum + Number(nanoseconds), 0) / 1000
}

function print(app, load, results) {
  console.log(`\n${app}, ${load}`)
  const reference = results.keys().next().value
  for (const [side, runs] of results) {
    console.log(
      `  ${side.padEnd(15)}${whole(runs, 'rate').padStart(9)} /s ${against(results, side, reference)}` +
        `   CPU ${middle(runs, 'cpu').toFixed(1)} us   p50 ${middle(runs, 'p50').toFixed(2)} p99 ${spread(runs.map((run) => run.p99))} ms`,
    )
  }
}

/** One line a row and run: JSON. */
function record(file, app, load, results) {
  appendFileSync(file, `${JSON.stringify({ node: version, app, load, results: [...results] })}\n`)
}

/** The rounds of all runs of a row together. */
function tabulate(file) {
  const rows = new Map()
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const { node, app, load, results } = JSON.parse(line)
    const key = `${node} ${app} ${load}`
    if (!rows.has(key)) rows.set(key, { node, app, load, results: new Map() })
    const all = rows.get(key).results
    for (const [side, runs] of results) all.set(side, [...(all.get(side) ?? []), ...runs])
  }
  for (const node of new Set([...rows.values()].map((row) => row.node))) {
    console.log(`\nnode ${node}\n`)
    const shown = [...rows.values()].filter((row) => row.node === node)
    const columns = Object.entries(COLUMNS).filter(([, cell]) => shown.some((row) => cell(row) !== ''))
    table([columns.map(([title]) => title), ...shown.map((row) => columns.map(([, cell]) => cell(row)))])
  }
}

/** Requests a second of one side against another's of the same round. */
function against(results, side, other) {
  if (!results.has(side) || !results.has(other)) return ''
  return spread(results.get(side).map((run, round) => run.rate / results.get(other)[round].rate))
}

const middle = (runs, key) => median(runs.map((run) => run[key]))
const whole = (runs, key) => Math.round(middle(runs, key)).toLocaleString('en')

main()
