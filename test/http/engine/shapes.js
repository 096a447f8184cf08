/**
 * For `messages.test.ts`: serves requests of one connection to an app that does what
 * Express does, and prints whether the requests, and the responses, have come to the same shape in the end.
 */
const http = require('node:http')
const net = require('node:net')
const v8 = require('node:v8')
const { attach } = require('../../../dist/http/attach.js')

v8.setFlagsFromString('--allow-natives-syntax')
const sameShape = new Function('one', 'other', 'return %HaveSameMap(one, other)')

/** The code has run often enough for V8 to have settled. */
const REQUESTS = 64

let last = null
let count = 0
const app = Object.assign(handle, {
  request: Object.create(http.IncomingMessage.prototype),
  response: Object.create(http.ServerResponse.prototype),
})

function handle(req, res) {
  Object.setPrototypeOf(req, app.request)
  Object.setPrototypeOf(res, app.response)
  res.locals = {}
  req.params = {}
  req.on('close', () => {})
  res.end('x')
  if (++count === REQUESTS) {
    console.log(`requests ${sameShape(req, last.req)} responses ${sameShape(res, last.res)}`)
    process.exit()
  }
  last = { req, res }
}

const server = http.createServer(app)
attach(server)
server.listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1')
  const ask = () => client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  client.on('data', ask)
  ask()
})
