'use strict'

// A companion: packs what the shop has sold. At SIGTERM it finishes the parcel in its hands and returns.
const { watch } = require('node:fs')
const { setTimeout: sleep } = require('node:timers/promises')
const { recover, take, waiting } = require('./spool.js')

/** How long a parcel takes, in milliseconds. */
const PACKING = 200

exports.pack = async () => {
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  recover()
  let wake = () => {}
  const watcher = watch(waiting, () => wake())
  while (!stop.signal.aborted) {
    const job = take()
    if (job === null) {
      const news = new Promise((resolve) => {
        wake = resolve
        stop.signal.addEventListener('abort', resolve, { once: true })
      })
      // Events of a folder may be lost: look again after a while without one.
      await Promise.race([news, sleep(5000, undefined, { ref: false })])
      continue
    }
    await sleep(PACKING)
    job.done()
    console.log(`packed ${job.order.quantity} × ${job.order.product}`)
  }
  watcher.close()
}
