/**
 * From a child's exit to our callback, in microseconds: ours, node:child_process, and a supervisor in C (reap.c), in the
 * same run and by turns. The child writes the time into shared memory as its last act. Then a storm: 500 children
 * killed at once, all of which must be reaped.
 *
 *   npm run bench -- reap [rounds] [children]
 */
const { execFileSync, spawn } = require('node:child_process')
const { openSync } = require('node:fs')
const { join } = require('node:path')
const { compiled } = require('./support/compiled.js')
const { percentile, spread, table } = require('./support/figures.js')

const STORM = 500
const WARM_UP = 20
const kernel = require(join(__dirname, '..', 'dist', 'kernel', 'addon.js')).loadKernel()

if (process.argv[2] === 'measure') measure(process.argv[3], process.argv[4], Number(process.argv[5]))
else if (process.argv[2] === 'storm') storm(process.argv[3])
else compare(Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 400))

// Wherever the scheduler puts them, which wakes a sleeping core for each exit; and all on one core, which shows what each
// program adds of its own.
function compare(rounds, children) {
  const child = compiled('last-words.c', '-static')
  const c = compiled('reap.c')
  const node = (peer) => [process.execPath, __filename, 'measure', peer, child, children]
  const peers = {
    C: [c, children, child],
    monoceros: node('ours'),
    'node:child_process': node('theirs'),
  }
  console.log(`${rounds} rounds of ${children} children, Node ${process.version}: median (lowest to highest)\n`)
  for (const [place, pin] of Object.entries({ 'any core': [], 'one core': ['taskset', '-c', '0'] })) {
    const percentiles = Object.fromEntries(Object.keys(peers).map((peer) => [peer, []]))
    for (let round = 0; round < rounds; round++) {
      for (const [peer, argv] of Object.entries(peers)) percentiles[peer].push(run([...pin, ...argv], peer, children))
    }
    const rows = Object.entries(percentiles).map(([peer, all]) => [
      peer,
      ...[0, 1, 2].map((rank) =>
        spread(
          all.map((one) => one[rank]),
          0,
        ),
      ),
      spread(all.map((one, round) => one[0] / percentiles.C[round][0])),
    ])
    table([[`${place}: exit to callback, µs`, 'p50', 'p90', 'p99', 'p50 against C'], ...rows])
    console.log()
  }
  const line = execFileSync(process.execPath, [__filename, 'storm', child], { encoding: 'utf8' })
  console.log(line.trim())
}

function run([program, ...args], peer, children) {
  const latencies = execFileSync(program, args, { encoding: 'utf8' }).trim().split('\n').map(Number)
  if (latencies.length !== children) throw new Error(`${peer} reaped ${latencies.length} of ${children}`)
  return [0.5, 0.9, 0.99].map((rank) => percentile(latencies, rank))
}

async function measure(peer, program, children) {
  const memory = kernel.sharedMemory('said', 4096)
  const said = new BigInt64Array(kernel.map(memory))
  const once = { ours: oursOnce, theirs: theirsOnce }[peer](program, memory)
  const latencies = []
  for (let left = children + WARM_UP; left > 0; left--) {
    said[0] = 0n
    const now = await once()
    if (said[0] === 0n) throw new Error('the child did not run')
    latencies.push(Number(now - said[0]) / 1e3)
  }
  console.log(
    latencies
      .slice(WARM_UP)
      .map((one) => one.toFixed(1))
      .join('\n'),
  )
}

function oursOnce(program, memory) {
  kernel.openSignals(['SIGCHLD'])
  const plan = planOf([program], memory)
  let child = 0
  let resolve
  const watch = kernel.watchSignals((reaped) => {
    const now = process.hrtime.bigint()
    kernel.readSignals()
    if (reaped === 0) return
    const [exit] = kernel.takeExits()
    if (reaped !== 1 || exit.pid !== child || exit.code !== 0) throw new Error('reaped something else')
    watch.unref()
    resolve(now)
  })
  return () =>
    new Promise((done) => {
      resolve = done
      watch.ref()
      child = kernel.spawn(plan)
    })
}

function theirsOnce(program, memory) {
  const options = { stdio: ['ignore', 'ignore', 'inherit', memory], env: {} }
  return () =>
    new Promise((resolve) => {
      spawn(program, [], options).once('exit', () => resolve(process.hrtime.bigint()))
    })
}

function planOf(argv, memory) {
  const nowhere = openSync('/dev/null', 'r+')
  return { file: argv[0], argv, env: {}, fds: [nowhere, nowhere, 2, memory].map((from, to) => ({ from, to })) }
}

function storm(program) {
  const signals = kernel.openSignals(['SIGCHLD'])
  const plan = planOf([program, 'wait'], kernel.sharedMemory('said', 4096))
  const living = new Set(Array.from({ length: STORM }, () => kernel.spawn(plan)))
  let killed = 0
  const watch = kernel.watch(signals, 'readable', () => {
    const heard = kernel.readSignals().length
    const exits = kernel.reap([...living])
    for (const { pid, signal } of exits) if (living.delete(pid) && signal === 'SIGKILL') killed++
    if (living.size > 0) return
    watch.close()
    const rest = kernel.reapStrangers([]).exits.length
    const milliseconds = (kernel.now() - begin).toFixed(1)
    console.log(
      `${STORM} children killed at once: ${killed} reaped in ${milliseconds} ms, ${rest} left (${heard} signals at last)`,
    )
    if (killed !== STORM || rest !== 0) process.exitCode = 1
  })
  const begin = kernel.now()
  for (const child of living) kernel.kill(child, 'SIGKILL')
}
