/** One server of `http.js`: argv is side, app, load, folder of the frameworks. Prints its port. */
const http = require('node:http')
const net = require('node:net')
const { LOADS } = require('./http-loads.js')
const { APPS, ceiling, LARGE } = require('./http-sides.js')

const [, , side, app, load, frameworks] = process.argv
const { request, times, body } = LOADS[load]

const SIDES = { node: stock, engine: attached, ceiling: withoutParsing, net: withoutLooking }

main()

async function main() {
  const server = SIDES[side](side === 'net' ? null : await APPS[app](frameworks))
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
}

function stock(listener) {
  return http.createServer(listener)
}

function attached(listener) {
  const { attach } = require('../dist/http/attach.js')
  const server = http.createServer(listener)
  attach(server)
  return server
}

/** The same response bytes as node:http, one write for all that was read. */
function withoutLooking() {
  const type = load === 'json' ? 'application/json' : load === 'large' ? 'application/octet-stream' : 'text/plain'
  const text = load === 'json' ? body : load === 'large' ? LARGE.toString() : 'Hello, world'
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nDate: ${new Date().toUTCString()}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: ${text.length}\r\n\r\n`
  const answer = Buffer.from((head + text).repeat(times))
  return net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(answer))
  })
}

/** On sockets that read into one buffer. */
function withoutParsing(listener) {
  const server = http.createServer(listener)
  const serve = ceiling(server, LOADS[load])
  const buffer = Buffer.allocUnsafeSlow(65536)
  server.on('listening', () => {
    server._handle.onconnection = (_status, handle) => {
      const callback = (length) => {
        for (let count = Math.round(length / request.length); count > 0; count--) serve(socket)
        return true
      }
      const socket = new net.Socket({ handle, allowHalfOpen: true, onread: { buffer, callback } })
      handle.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('end', () => socket.end())
    }
  })
  return server
}
