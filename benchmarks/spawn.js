/**
 * Children spawned and reaped per second, one after the other, ours against node:child_process in the same run: with a
 * small heap and with one of 1 GB. The children do nothing, or are /bin/true with its dynamic loader. Each measurement
 * is a process of its own, and the peers take turns.
 *
 *   npm run bench -- spawn [rounds] [children]
 */
const { execFileSync, spawn } = require('node:child_process')
const { openSync } = require('node:fs')
const { join } = require('node:path')
const { compiled } = require('./support/compiled.js')
const { median, spread, table } = require('./support/figures.js')

const HEAPS = { small: 0, '1 GB': 1024 }
const PEERS = { ours, theirs }

if (process.argv[2] === 'measure') measure(...process.argv.slice(3))
else compare(Number(process.argv[2] ?? 7), Number(process.argv[3] ?? 500))

function compare(rounds, children) {
  const programs = { nothing: compiled('nothing.c', '-static', '-nostdlib'), '/bin/true': '/bin/true' }
  const rows = [
    ['heap', 'child', 'monoceros, children/s', 'node:child_process, children/s', 'ratio', 'our spawn(), ms'],
  ]
  for (const [heap, megabytes] of Object.entries(HEAPS)) {
    for (const [name, program] of Object.entries(programs)) {
      const found = { ours: [], theirs: [] }
      for (let round = 0; round < rounds; round++) {
        for (const peer of Object.keys(PEERS)) {
          const args = ['--max-old-space-size=4096', __filename, 'measure', peer, program, megabytes, children]
          found[peer].push(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })))
        }
      }
      const [ours, theirs] = [found.ours, found.theirs].map((all) => all.map(({ rate }) => rate))
      const ratios = ours.map((rate, round) => rate / theirs[round])
      const inside = median(found.ours.map(({ inside }) => inside))
      rows.push([heap, name, spread(ours, 0), spread(theirs, 0), spread(ratios), inside.toFixed(3)])
    }
  }
  console.log(`${rounds} rounds of ${children} children, Node ${process.version}: median (lowest to highest)\n`)
  table(rows)
}

/** Prints children per second, and the median time inside `spawn`. */
async function measure(peer, program, megabytes, children) {
  const ballast = fill(Number(megabytes))
  await PEERS[peer](program, 20)
  const begin = process.hrtime.bigint()
  const inside = await PEERS[peer](program, Number(children))
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9
  if (ballast.length < megabytes) throw new Error('the ballast was collected')
  console.log(JSON.stringify({ rate: children / seconds, inside }))
}

/** Live objects on V8's heap, in pages that are all in memory. */
function fill(megabytes) {
  return Array.from({ length: megabytes }, () => Array.from({ length: 16384 }, (_, i) => ({ i, a: i, b: i, c: null })))
}

async function ours(program, children) {
  const kernel = require(join(__dirname, '..', 'dist', 'kernel', 'addon.js')).loadKernel()
  const nowhere = openSync('/dev/null', 'r+')
  const fds = [0, 1, 2].map((to) => ({ from: nowhere, to }))
  const plan = { file: program, argv: [program], env: { ...process.env }, fds }
  kernel.openSignals(['SIGCHLD'])
  const inside = []
  await new Promise((resolve) => {
    let child = 0
    const next = () => {
      const begin = kernel.now()
      child = kernel.spawn(plan)
      inside.push(kernel.now() - begin)
    }
    const watch = kernel.watchSignals(() => {
      kernel.readSignals()
      if (kernel.takeExits()[0]?.pid !== child) return
      if (inside.length < children) return next()
      watch.close()
      resolve()
    })
    next()
  })
  return median(inside)
}

async function theirs(program, children) {
  for (let left = children; left > 0; left--) {
    await new Promise((resolve) => spawn(program, [], { stdio: 'ignore' }).once('exit', resolve))
  }
}
