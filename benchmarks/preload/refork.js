/**
 * What `reforkAfter` gains: workers that are forked from a mold which has loaded the app, against those that are forked from
 * one which was a worker. Each has as much load before; afterwards all workers are killed, so that every one is fresh.
 */
const { once } = require('node:events')
const http = require('node:http')
const { median, table } = require('../support/figures.js')
const { ask } = require('./client.js')
const { delay, load, pss } = require('./measures.js')
const { start } = require('./targets.js')

const REST = 150
const SETTLED = 2000
const CHOSEN = 'it is to become a mold (reforkAfter)'
const PROVED = 'mold has proved itself: workers are forked from it pid='
/** On one connection, in a fresh worker. */
const REQUESTS = 1000

let port

/** `express`: where `--frameworks` says that it is installed. */
const APPS = {
  small: ['small app', { app: 'app.js' }],
  heap: ['heap of 60 MB', { app: 'app.js', heap: 60 }],
  pages: ['pages made at first use', { app: 'pages.js' }],
  express: ['Express', { app: 'express.js' }],
}

exports.refork = async ({ port: first, kills, load: seconds, refork: after, frameworks, apps }) => {
  port = Number(first)
  const heads = ['first request', 'second', 'tenth', `${REQUESTS} on one connection`]
  const times = [['ms, p50', ...heads]]
  const sizes = [['PSS of all processes, 4 workers, MB', 'fresh', `after ${seconds} s of load`]]
  for (const [name, app] of apps.split(',').map((one) => APPS[one]))
    for (const args of [[], ['--refork-after', after]]) {
      const options = { ...app, args, frameworks }
      const label = `${name}, ${args.length === 0 ? 'preload' : 'reforkAfter'}`
      const took = await withWarm({ ...options, workers: 1 }, (service) => answers(service, Number(kills) / 4))
      times.push([label, ...took.map((all) => median(all).toFixed(2))])
      const [fresh, loaded] = await withWarm({ ...options, workers: 4 }, (service) => memory(service, seconds))
      sizes.push([label, fresh.toFixed(1), loaded.toFixed(1)])
    }
  table(times)
  console.log()
  table(sizes)
}

/** A service whose workers have served, of which one has become the mold where that was asked for, and which are all new. */
async function withWarm(options, use) {
  const service = start('preload', { ...options, port: ++port })
  try {
    await service.serving(options.workers)
    const promotes = options.args.length > 0
    do await load(port, 4)
    while (promotes && service.said(CHOSEN) === 0)
    if (promotes) await service.saying(new RegExp(PROVED))
    await delay(SETTLED)
    const workers = () => service.workers().filter((pid) => pid !== service.number(PROVED))
    // One of them may be about to leave, and has no successor then.
    const old = workers()
    for (const pid of old) process.kill(pid, 'SIGKILL')
    const fresh = () => workers().filter((pid) => !old.includes(pid))
    while (fresh().length < options.workers) await delay(REST)
    const chosen = service.said(CHOSEN)
    const result = await use(service)
    if (service.said(CHOSEN) !== chosen) throw new Error('another worker has become a mold: take a larger --refork')
    return result
  } finally {
    await service.stop()
  }
}

async function memory(service, seconds) {
  await delay(SETTLED)
  const fresh = pss(service.pids())
  await load(port, seconds)
  await delay(SETTLED)
  return [fresh, pss(service.pids())]
}

/** Of one fresh worker after the other: three requests on connections of their own, and many on one, in another worker. */
async function answers(service, count) {
  const took = [[], [], [], []]
  for (let n = 0; n < count; n++) {
    for (let request = 0; request < 10; request++) {
      const begun = performance.now()
      const { at } = await ask(port)
      const place = [0, 1, 9].indexOf(request)
      if (place !== -1) took[place].push(at - begun)
    }
    await renew(service)
    took[3].push(await onOneConnection(REQUESTS))
    await renew(service)
  }
  return took
}

/** Another worker in place of the only one. */
async function renew(service) {
  const { served } = service
  process.kill((await ask(port)).body.pid, 'SIGKILL')
  await service.serving(served + 1)
  await delay(REST)
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
