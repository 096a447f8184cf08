/**
 * A server for `together.test.ts` that stands still after a request for /block until a byte comes on its stdin, so that
 * what was sent meanwhile is read in one turn. Prints its port, and what nobody caught.
 */
const fs = require('node:fs')
const http = require('node:http')
const { attach } = require('../../../dist/http/attach.js')

process.on('uncaughtException', (error) => console.log(error.message))

const HANDLERS = {
  '/block': (_req, res) => {
    res.end('/block')
    setImmediate(() => fs.readSync(0, Buffer.alloc(1)))
  },
  '/exit': (_req, res) => {
    res.end('/exit')
    process.exit(7)
  },
  '/parts': async (_req, res) => {
    res.writeHead(200, { 'Content-Length': 9 })
    for (const part of ['/par', 't', 's']) {
      res.write(part)
      await new Promise(process.nextTick)
    }
    process.exit(7)
  },
  '/throw': (req, res) => {
    res.on('finish', () => {
      throw new Error(`thrown for ${req.headers['x-client']}`)
    })
    res.end('/throw')
  },
}

const server = http.createServer((req, res) => {
  const handler = HANDLERS[req.url]
  if (handler) handler(req, res)
  else res.end(req.url)
})
attach(server)
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
