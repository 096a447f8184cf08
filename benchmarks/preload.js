/**
 * `npm run bench -- preload [--targets preload,exec,cluster,gunicorn] [--only kills,starts,memory,first,load,scavenges]
 *  [--kills 100] [--heap 0] [--rounds 3] [--load 10] [--heaps 0,60] [--workers 4,8]`
 * `npm run bench -- preload --only companions [--kills 100] [--rounds 3]`
 * `npm run bench -- preload --only refork --frameworks FOLDER [--refork 30000] [--kills 100] [--rounds 3] [--load 10]`
 *
 * Workers that are forked from a loaded app (`--preload`) against fork/exec, node:cluster and `gunicorn --preload` (where
 * it is installed): how soon a killed worker is replaced, how soon all serve, what they take of the memory, how fast they
 * answer. `--load`: seconds of wrk for each figure that needs load. `--heap`: MB of the app whose worker
 * is killed. `--heaps` and `--workers`: rows of the table of memory.
 *
 * Only when asked for: `--only garbage [--node-options OPTION]`, the most memory that a worker takes whose requests leave much garbage
 * (OPTION: for monoceros's workers); what `target` companions gain from a mold, and what `reforkAfter` gains (not at real-time priority).
 */
const { execFileSync } = require('node:child_process')
const { readFileSync } = require('node:fs')
const { parseArgs } = require('node:util')
const { ask } = require('./preload/client.js')
const { companions } = require('./preload/companions.js')
const { cpu, delay, load, peak, pss } = require('./preload/measures.js')
const { refork } = require('./preload/refork.js')
const { NAMES, start } = require('./preload/targets.js')
const { compiled } = require('./support/compiled.js')
const { median, percentile, spread, table } = require('./support/figures.js')

const { values } = parseArgs({
  options: {
    targets: { type: 'string', default: NAMES.join(',') },
    only: { type: 'string', default: 'kills,starts,memory,first,load,scavenges' },
    kills: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    load: { type: 'string', default: '10' },
    heap: { type: 'string', default: '0' },
    heaps: { type: 'string', default: '0,60' },
    workers: { type: 'string', default: '4,8' },
    refork: { type: 'string', default: '30000' },
    frameworks: { type: 'string' },
    'node-options': { type: 'string' },
    port: { type: 'string', default: '18800' },
  },
})
const targets = values.targets.split(',')
const rounds = Number(values.rounds)
/** A killed worker's successor comes to rest. */
const REST = 150

/** A port for each run: connections of the one before may still be there. */
let port = Number(values.port)
async function withService(name, options, use) {
  const service = start(name, { ...options, port: ++port })
  try {
    await service.serving(options.workers)
    return await use(service)
  } finally {
    await service.stop()
  }
}

/** SIGKILL of the only worker, to the first byte of another one's answer. */
async function kills() {
  const kill = compiled('preload/kill.c')
  const rows = [['SIGKILL to answer, ms', 'p50', 'p90', 'p99']]
  for (const name of targets) {
    const took = await withService(name, { workers: 1, heap: Number(values.heap) }, async (service) => {
      const times = []
      for (let n = 0; n < Number(values.kills); n++) {
        const { body } = await ask(port)
        await delay(REST)
        const [took, ...answer] = execFileSync(kill, [body.pid, port], { encoding: 'utf8' }).split('\n')
        if (answer.join().includes(`"pid":${body.pid}`)) throw new Error(`${name}: a killed worker answered`)
        times.push(Number(took) / 1000)
        await service.serving(n + 2)
      }
      return times
    })
    rows.push([name, ...[0.5, 0.9, 0.99].map((rank) => percentile(took, rank).toFixed(1))])
  }
  table(rows)
}

/** Start to all workers serving, of an app that takes 300 ms to load. */
async function starts() {
  const rows = [['start to all serving, ms', '1 worker', '4 workers', '8 workers']]
  for (const name of targets) {
    const cells = []
    for (const workers of [1, 4, 8]) {
      const took = []
      for (let n = 0; n < rounds; n++)
        await withService(name, { workers, load: 300 }, async (service) => {
          took.push((await service.serving(workers)) - service.begun)
        })
      cells.push(spread(took, 0))
    }
    rows.push([name, ...cells])
  }
  table(rows)
}

async function memory() {
  const rows = [['PSS of all processes, MB', 'workers', 'idle', 'after load', 'of cluster, idle', 'of cluster, load']]
  for (const heap of values.heaps.split(',').map(Number))
    for (const workers of values.workers.split(',').map(Number)) {
      const found = new Map()
      for (const name of targets)
        await withService(name, { workers, heap }, async (service) => {
          await delay(2000)
          const idle = pss(service.pids())
          await load(port, values.load)
          await delay(1000)
          found.set(name, { idle, loaded: pss(service.pids()) })
        })
      const peer = found.get('cluster')
      for (const [name, { idle, loaded }] of found) {
        const ratios = peer ? [idle / peer.idle, loaded / peer.loaded] : []
        const what = heap === 0 ? 'small app' : `heap of ${heap} MB`
        rows.push([`${name}, ${what}`, workers, ...[idle, loaded].map((mb) => mb.toFixed(0)), ...ratios.map(digits2)])
      }
    }
  table(rows)
}
const digits2 = (value) => value.toFixed(2)

/** The first requests that a fresh worker answers, one after the other. */
async function first() {
  const rows = [['ms, p50', 'first request', 'second', 'tenth']]
  for (const name of targets) {
    const took = Array.from({ length: 10 }, () => [])
    await withService(name, { workers: 1 }, async (service) => {
      for (let n = 0; n < Number(values.kills) / 2; n++) {
        await delay(REST)
        let pid
        for (const times of took) {
          const begun = performance.now()
          const { at, body } = await ask(port)
          times.push(at - begun)
          pid = body.pid
        }
        process.kill(pid, 'SIGKILL')
        await service.serving(n + 2)
      }
    })
    rows.push([name, ...[0, 1, 9].map((place) => median(took[place]).toFixed(2))])
  }
  table(rows)
}

/** By turns, since the machine's speed varies; by CPU time too, since others may use it. */
async function underLoad() {
  const found = new Map(targets.map((name) => [name, { all: [], each: [] }]))
  for (let n = 0; n < rounds; n++)
    for (const name of targets)
      await withService(name, { workers: 2 }, async (service) => {
        await load(port, 1)
        const before = cpu(service.pids())
        const rate = await load(port, values.load)
        const { all, each } = found.get(name)
        all.push(rate)
        each.push((rate * values.load) / (cpu(service.pids()) - before))
      })
  const peer = found.get('exec')
  const rows = [['2 workers', 'requests/s', 'of exec', 'requests a second of CPU', 'of exec']]
  const ratios = (mine, theirs) => spread(mine.map((one, n) => one / theirs[n]))
  for (const [name, { all, each }] of found)
    rows.push([
      name,
      spread(all, 0),
      peer ? ratios(all, peer.all) : '',
      spread(each, 0),
      peer ? ratios(each, peer.each) : '',
    ])
  table(rows)
}

async function scavenges() {
  const rows = [['one worker, MB', 'heap used', 'resident', 'heap after 100,000 scavenges', 'resident']]
  for (const name of targets.filter((one) => one !== 'gunicorn'))
    await withService(name, { workers: 1 }, async () => {
      const { body: before } = await ask(port, '/scavenge?n=1000')
      const { body: after } = await ask(port, '/scavenge?n=100000')
      const cells = [before.heap, before.rss, after.heap, after.rss].map((bytes) => (bytes / 2 ** 20).toFixed(1))
      rows.push([name, ...cells])
    })
  table(rows)
}

/** Six at a time, each with 300,000 objects. */
async function garbage() {
  const rows = [['one worker, garbage', 'most resident, MB', 'requests/s']]
  const options = values['node-options']
  const args = options === undefined ? [] : ['--node-options', options]
  for (const name of targets.filter((one) => one !== 'gunicorn')) {
    const [most, rates] = [[], []]
    for (let n = 0; n < rounds; n++)
      await withService(name, { workers: 1, args }, async () => {
        rates.push(await load(port, values.load, '/garbage', 6))
        most.push(peak((await ask(port)).body.pid))
      })
    rows.push([name, spread(most, 0), spread(rates, 0)])
  }
  table(rows)
}

async function main() {
  const own = (part) => () => part({ ...values, port: ++port })
  const parts = {
    kills,
    starts,
    memory,
    first,
    load: underLoad,
    scavenges,
    garbage,
    companions: own(companions),
    refork: own(refork),
  }
  console.log(`Node ${process.version}, load average ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}\n`)
  for (const part of values.only.split(',')) {
    await parts[part]()
    console.log()
  }
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
