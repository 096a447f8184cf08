/**
 * What `reforkAfter` gains, with an app of Express: fresh workers from the mold that has loaded the app, against such from
 * one that was a worker. Both have had the same load before, until a worker had served so many requests.
 *
 * Who is a worker is asked of the control socket: what is forked from a worker does not call the callback of `listen` again,
 * so that it says nothing when it begins to serve.
 */
const { once } = require('node:events')
const { mkdtempSync, rmSync } = require('node:fs')
const http = require('node:http')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { ask: control } = require('../../dist/control/client.js')
const { median, spread, table } = require('../support/figures.js')
const { ask } = require('./client.js')
const { delay, load, pss } = require('./measures.js')
const { start } = require('./targets.js')

const LOOK_EVERY = 25
const REST = 150
const SETTLED = 2000
/** Seconds of load at most for a worker to have served enough, and for everything to come to rest. */
const WARM = 60
const PATIENCE = 60
const MANY = 1000
const HEADS = ['first request', 'second', 'tenth', `${MANY} more on one connection`]

let port

exports.refork = async ({ port: first, rounds, kills, load: seconds, refork: after, frameworks }) => {
  if (frameworks === undefined) throw new Error('--frameworks: the folder where express is installed')
  port = Number(first)
  const found = [
    { label: 'preload', mold: 1, args: [], times: [], sizes: [] },
    { label: `reforkAfter ${after}`, mold: 2, args: ['--refork-after', after], times: [], sizes: [] },
  ]
  for (let n = 0; n < Number(rounds); n++)
    for (const { mold, args, times, sizes } of found) {
      const options = { after: Number(after), mold, args, frameworks }
      times.push(await withFresh({ ...options, workers: 1 }, (service) => answers(service, Number(kills) / 4)))
      sizes.push(await withFresh({ ...options, workers: 4 }, (service) => memory(service, seconds)))
    }
  const cells = (figures, count, digits) =>
    Array.from({ length: count }, (_, column) =>
      spread(
        figures.map((one) => one[column]),
        digits,
      ),
    )
  table([['ms, p50', ...HEADS], ...found.map(({ label, times }) => [label, ...cells(times, HEADS.length, 2)])])
  console.log()
  table([
    ['PSS of all processes, 4 workers, MB', 'fresh', `after ${seconds} s of load`],
    ...found.map(({ label, sizes }) => [label, ...cells(sizes, 2, 1)]),
  ])
}

/** A service all of whose workers are new, from the mold of that number. */
async function withFresh({ after, ...options }, use) {
  const folder = mkdtempSync(join(tmpdir(), 'monoceros-bench-'))
  const socket = join(folder, 'control')
  const args = ['--control-socket', socket, ...options.args]
  const running = start('preload', { ...options, app: 'express.js', args, port: ++port })
  const service = { ...running, socket, ...options }
  try {
    await running.serving(options.workers)
    await warm(service, after)
    await renew(service)
    const result = await use(service)
    const { molds } = await control(socket, { cmd: 'status' })
    if (molds.some(({ mold }) => mold !== options.mold))
      throw new Error('another worker has become a mold meanwhile: take a larger --refork, or a smaller --load')
    return result
  } finally {
    await running.stop()
    rmSync(folder, { recursive: true })
  }
}

async function warm({ socket }, after) {
  for (let seconds = 0; seconds < WARM; seconds += 4) {
    await load(port, 4)
    const { molds, workers } = await control(socket, { cmd: 'status' })
    if (molds.length > 1 || molds[0].mold > 1 || workers.some(({ requests }) => requests >= after)) return
  }
  throw new Error(`no worker has served ${after} requests in ${WARM} s of load: take a smaller --refork`)
}

/** Others in place of all workers. */
async function renew(service) {
  const old = await atRest(service)
  for (const pid of old) process.kill(pid, 'SIGKILL')
  await atRest(service, old)
  await delay(REST)
}

/** When all workers are there, none of these among them, and all from the one mold: their pids. */
async function atRest({ socket, workers: count, mold: number }, without = []) {
  let last
  for (const end = performance.now() + PATIENCE * 1000; performance.now() < end; await delay(LOOK_EVERY)) {
    last = await control(socket, { cmd: 'status' })
    const { workers, molds } = last
    const isNew = ({ pid, state, mold }) => state === 'RUNNING' && mold === number && !without.includes(pid)
    const isOne = molds.length === 1 && molds[0].mold === number && molds[0].state === 'QUIET'
    if (isOne && workers.length === count && workers.every(isNew)) return workers.map(({ pid }) => pid)
  }
  throw new Error(`not ${count} workers from mold ${number} after ${PATIENCE} s: ${JSON.stringify(last)}`)
}

async function memory(service, seconds) {
  await delay(SETTLED)
  const fresh = pss(service.pids())
  await load(port, seconds)
  await delay(SETTLED)
  return [fresh, pss(service.pids())]
}

/** Of one fresh worker after the other. */
async function answers(service, count) {
  const took = HEADS.map(() => [])
  for (let n = 0; n < count; n++) {
    for (let request = 0; request < 10; request++) {
      const begun = performance.now()
      // A query, for it to be asked once.
      const { at } = await ask(port, '/?')
      const place = [0, 1, 9].indexOf(request)
      if (place !== -1) took[place].push(at - begun)
    }
    took[3].push(await onOneConnection(MANY))
    await renew(service)
  }
  return took.map(median)
}

async function onOneConnection(count) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const begun = performance.now()
  for (let n = 0; n < count; n++) {
    const [response] = await once(http.get({ port, agent }), 'response')
    await once(response.resume(), 'end')
  }
  const took = performance.now() - begun
  agent.destroy()
  return took
}
