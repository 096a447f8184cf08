/**
 * An app that takes as long to load and holds as much as `weight.js` says. Prints `serving PID` when it listens.
 * `/garbage` makes 300,000 objects that are dropped after the answer, 10 ms later. `/scavenge?n=` collects the young
 * generation so often, with something in it, and answers with the process's memory.
 */
const http = require('node:http')
require('./weight.js')

function scavenge(times) {
  require('node:v8').setFlagsFromString('--expose-gc')
  const collect = require('node:vm').runInNewContext('gc')
  for (let n = 0; n < times; n++) {
    scavenge.last = Array.from({ length: 100 }, (_, i) => ({ i }))
    collect({ type: 'minor' })
  }
  return { pid: process.pid, heap: process.memoryUsage().heapUsed, rss: process.memoryUsage.rss() }
}

function garbage(res) {
  const objects = Array.from({ length: 300_000 }, (_, i) => ({ i }))
  setTimeout(() => res.end(JSON.stringify({ pid: process.pid, objects: objects.length })), 10)
}

http
  .createServer((req, res) => {
    if (req.url === '/garbage') return garbage(res)
    const [, times] = /^\/scavenge\?n=(\d+)$/.exec(req.url) ?? []
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify(times === undefined ? { pid: process.pid } : scavenge(Number(times))))
  })
  .listen(Number(process.env.APP_PORT), '127.0.0.1', 1024, () => console.log(`serving ${process.pid}`))
