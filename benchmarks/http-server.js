/** One server of `http.js`: argv is side, app, load, folder of the frameworks. Prints its port. */
const http = require('node:http')
const net = require('node:net')
const { LOADS } = require('./http-loads.js')
const { APPS, ceiling, LARGE } = require('./http-sides.js')

const [, , side, app, load, frameworks] = process.argv
const { request, times, body } = LOADS[load]

/** Without `-stream`: on sockets that read into one buffer, as the engine's. */
const SIDES = {
  node: stock,
  engine: (listener) => attached(listener, true),
  'engine-each': (listener) => attached(listener, false),
  ceiling: (listener) => withoutParsing(listener, true),
  'ceiling-stream': (listener) => withoutParsing(listener, false),
  net: () => withoutLooking(true),
  'net-stream': () => withoutLooking(false),
}

main()

async function main() {
  const server = SIDES[side](side.startsWith('net') ? null : await APPS[app](frameworks))
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
}

function stock(listener) {
  return http.createServer(listener)
}

function attached(listener, together) {
  const { attach } = require('../dist/http/attach.js')
  const server = http.createServer(listener)
  attach(server, { together })
  return server
}

/** The same response bytes as node:http, one write for all that was read. */
function withoutLooking(direct) {
  const type = load === 'json' ? 'application/json' : load === 'large' ? 'application/octet-stream' : 'text/plain'
  const text = load === 'json' ? body : load === 'large' ? LARGE.toString() : 'Hello, world'
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nDate: ${new Date().toUTCString()}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: ${text.length}\r\n\r\n`
  const answer = Buffer.from((head + text).repeat(times))
  const server = net.createServer({ noDelay: true }, (socket) => hear(socket, () => socket.write(answer)))
  if (direct) readDirectly(server, (socket) => () => socket.write(answer))
  return server
}

/** Node's request and response objects, with what they say known beforehand. */
function withoutParsing(listener, direct) {
  const server = http.createServer(listener)
  const serve = ceiling(server, LOADS[load])
  const received = (socket) => (length) => {
    for (let count = Math.round(length / request.length); count > 0; count--) serve(socket)
  }
  server.removeAllListeners('connection')
  server.on('connection', (socket) => {
    const receive = received(socket)
    hear(socket, (bytes) => receive(bytes.length))
  })
  if (direct) readDirectly(server, received)
  return server
}

function hear(socket, receive) {
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  socket.on('data', receive)
}

/** Connections read into one buffer, without their stream: what libuv has read goes to `received(socket)(length)`. */
function readDirectly(server, received) {
  const buffer = Buffer.allocUnsafeSlow(65536)
  server.on('listening', () => {
    server._handle.onconnection = (_status, handle) => {
      let receive = null
      const callback = (length) => {
        receive(length)
        return true
      }
      const socket = new net.Socket({ handle, allowHalfOpen: true, onread: { buffer, callback } })
      receive = received(socket)
      handle.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('end', () => socket.end())
    }
  })
}
