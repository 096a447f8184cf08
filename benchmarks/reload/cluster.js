/**
 * A rolling restart with node:cluster as its documentation has it: for each worker another one is forked, and when that
 * listens the old one is disconnected. HUP to the primary starts it; `reloaded` is printed when all are replaced.
 */
const cluster = require('node:cluster')

if (cluster.isPrimary) {
  const count = Number(process.env.APP_WORKERS)
  for (let n = 0; n < count; n++) cluster.fork()
  process.on('SIGHUP', async () => {
    for (const old of Object.values(cluster.workers)) {
      if (old.exitedAfterDisconnect) continue
      await new Promise((resolve) => cluster.fork().once('listening', resolve))
      old.disconnect()
    }
    console.log('reloaded')
  })
  cluster.on('exit', (worker) => {
    if (!worker.exitedAfterDisconnect) cluster.fork()
  })
} else require('./app.js')
