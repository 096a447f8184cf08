/**
 * Requests a second of one server process on core 0, wrk on core 1: node:http, a bare `net` server that answers
 * without looking (the limit), Node's stock request and response objects without any parsing (the ceiling), and the
 * engine, in turn, round after round; every ratio is taken within a round, to node:http of that round.
 *
 *     npm run bench -- http [--rounds 7] [--seconds 2] [--apps plain,fastify] [--loads bare,browser] [--frameworks FOLDER]
 *
 * FOLDER holds express, fastify and koa, checked out and installed. Two figures a row: requests a second as wrk saw
 * them, and requests a second of the server's own CPU time, which counts others on the machine less.
 */
const { execFileSync, spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { parseArgs } = require('node:util')
const { LOADS } = require('./http-loads.js')

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '32' },
    apps: { type: 'string', default: 'plain,fastify,express,koa' },
    loads: { type: 'string', default: Object.keys(LOADS).join() },
    sides: { type: 'string', default: 'node,engine,ceiling,net' },
    frameworks: { type: 'string' },
  },
})

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const scratch = mkdtempSync(join(tmpdir(), 'monoceros-bench-'))

main().finally(() => rmSync(scratch, { recursive: true, force: true }))

async function main() {
  console.log(
    `node ${process.version}, ${values.rounds} rounds of ${values.seconds} s, ${values.connections} connections`,
  )
  for (const app of values.apps.split(',')) {
    for (const load of values.loads.split(',')) {
      const sides = values.sides.split(',').filter((side) => app === 'plain' || side === 'node' || side === 'engine')
      await row(app, load, sides)
    }
  }
}

async function row(app, load, sides) {
  const results = new Map(sides.map((side) => [side, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed())
      results.get(side).push(await measure(side, app, load))
  }
  console.log(`\n${app}, ${load}`)
  const reference = results.get('node') ?? results.get(sides[0])
  for (const [side, runs] of results) {
    const ratio = (key) => spread(runs.map((run, round) => run[key] / reference[round][key]))
    console.log(
      `  ${side.padEnd(8)}${whole(median(runs.map((run) => run.rate))).padStart(9)} /s ${ratio('rate')}` +
        `${whole(median(runs.map((run) => run.perCpu))).padStart(11)} /CPU s ${ratio('perCpu')}` +
        `   p50 ${median(runs.map((run) => run.p50)).toFixed(2)} p99 ${median(runs.map((run) => run.p99)).toFixed(2)} ms`,
    )
  }
}

async function measure(side, app, load) {
  const path = join(__dirname, 'http-server.js')
  const server = spawn('taskset', ['-c', '0', process.execPath, path, side, app, load, values.frameworks ?? ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(server.stdout.setEncoding('utf8'), 'data')
  const url = `http://127.0.0.1:${port.trim()}/`
  wrk(url, load, 1)
  const before = cpu(server.pid)
  const result = wrk(url, load, Number(values.seconds))
  const used = cpu(server.pid) - before
  server.kill('SIGKILL')
  await once(server, 'exit')
  return { ...result, perCpu: result.requests / used }
}

/** Runs on the other core, while this process waits. */
function wrk(url, load, seconds) {
  const script = join(scratch, `${load}.lua`)
  writeFileSync(script, LOADS[load].lua)
  const args = ['-c', '1', 'wrk', '-t1', `-c${values.connections}`, `-d${seconds}`, '--latency', '-s', script, url]
  const { stdout, stderr, status } = spawnSync('taskset', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`wrk: ${stdout}${stderr}`)
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk saw errors:\n${stdout}`)
  const [requests, rate, p50, p99] = /^JSON (.*)$/m.exec(stdout)[1].split(' ').map(Number)
  return { requests, rate, p50, p99 }
}

/** Seconds of user and system time (proc(5), fields 14 and 15). */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
}

function spread(numbers) {
  return `${median(numbers).toFixed(2)} (${Math.min(...numbers).toFixed(2)} to ${Math.max(...numbers).toFixed(2)})`
}

function whole(number) {
  return Math.round(number).toLocaleString('en')
}
