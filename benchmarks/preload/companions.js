/** What four `target` companions gain from a mold of their manager's: an app with a heap of 60 MB, forked and exec'd. */
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { percentile, spread, table } = require('../support/figures.js')
const { delay, pss } = require('./measures.js')
const { start } = require('./targets.js')

const COMPANIONS = 4
const HEAP = 60
const REST = 150
const SETTLED = 2000
const STARTED = /companion manager started pid=/

exports.companions = async ({ port, kills, rounds }) => {
  const rows = [
    [
      `${COMPANIONS} companions, heap of ${HEAP} MB`,
      'manager started to all running, ms',
      'SIGKILL to running, p50',
      'p99',
      'PSS, MB',
    ],
  ]
  for (const [label, target] of [
    ['forked', 'preload'],
    ["exec'd", 'exec'],
  ]) {
    const begun = []
    const again = []
    let size
    for (let n = 0; n < Number(rounds); n++)
      await withCompanions(target, Number(port) + rows.length * 10 + n, async (service) => {
        const started = await service.saying(STARTED)
        begun.push((await service.serving(1 + COMPANIONS)) - started)
        await delay(SETTLED)
        size = pss(family(manager(service)))
        for (let kill = 0; kill < Number(kills) / 4; kill++) again.push(await killOne(service))
      })
    const ranks = [0.5, 0.99].map((rank) => percentile(again, rank).toFixed(1))
    rows.push([label, spread(begun, 0), ...ranks, size.toFixed(0)])
  }
  table(rows)
}

async function withCompanions(target, port, use) {
  const folder = mkdtempSync(join(tmpdir(), 'monoceros-bench-'))
  const config = join(folder, 'monoceros.config.json')
  const entry = { name: 'one', target: `${join(__dirname, 'companion.js')}:run`, numprocs: COMPANIONS }
  writeFileSync(config, JSON.stringify({ companions: [{ ...entry, startsecs: 0, restartDelay: 0 }] }))
  const service = start(target, { workers: 1, port, heap: HEAP, args: ['-c', config] })
  try {
    await use(service)
  } finally {
    await service.stop()
    rmSync(folder, { recursive: true })
  }
}

/** From the SIGKILL of one to the first line of its successor's function. */
async function killOne(service) {
  const [victim] = service.workers().filter((pid) => family(manager(service)).includes(pid))
  const { served } = service
  const killed = performance.now()
  process.kill(victim, 'SIGKILL')
  const took = (await service.serving(served + 1)) - killed
  await delay(REST)
  return took
}

const manager = (service) => service.number(STARTED)

const family = (pid) => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(family)]
}
