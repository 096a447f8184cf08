/**
 * The app that is reloaded: reads the body whole and answers how much came. `APP_SIGNALS`: `exits` has handlers that call
 * process.exit at once, `closes` closes its server first, without it there are none. The file `broken` beside the copy
 * that runs makes a new version fail.
 */
const { existsSync, readFileSync } = require('node:fs')
const http = require('node:http')
const { join } = require('node:path')

const file = join(process.env.APP_FOLDER ?? __dirname, 'broken')
const broken = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
if (broken === 'throws') throw new Error('this version is broken')

const server = http.createServer((req, res) => {
  let received = 0
  req.on('data', (chunk) => {
    received += chunk.length
  })
  req.on('end', () => res.end(JSON.stringify({ pid: process.pid, received })))
})

if (broken !== 'hangs') {
  server.listen(Number(process.env.APP_PORT ?? 8000), '127.0.0.1', () => {
    if (broken === 'exits') setTimeout(() => process.exit(1), 200)
  })
} else setInterval(() => undefined, 1000)

for (const signal of ['SIGTERM', 'SIGINT']) {
  if (process.env.APP_SIGNALS === 'exits') process.on(signal, () => process.exit(0))
  else if (process.env.APP_SIGNALS === 'closes') process.on(signal, () => server.close(() => process.exit(0)))
}
