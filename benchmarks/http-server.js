/** One server of `http.js`: argv is side, app, load, folder of the frameworks. Prints its port. */
const http = require('node:http')
const net = require('node:net')
const { join } = require('node:path')
const { LOADS } = require('./http-loads.js')

const [, , side, app, load, frameworks] = process.argv
const { request, times, body, rawHeaders, target } = LOADS[load]
const LARGE = Buffer.alloc(65536, 'x')

const SIDES = { node: stock, engine: attached, ceiling: withoutParsing, net: withoutLooking }
const APPS = { plain, fastify, express, koa }

main()

async function main() {
  const server = SIDES[side](side === 'net' ? null : await APPS[app]())
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

/** Node's own objects and events for requests that are known beforehand, on sockets that read into one buffer. */
function withoutParsing(listener) {
  const server = http.createServer(listener)
  const buffer = Buffer.allocUnsafeSlow(65536)
  const content = Buffer.from(body)
  const options = { highWaterMark: 16384, rejectNonStandardBodyWrites: false }
  const queues = new WeakMap()
  function finished() {
    const { req, socket } = this
    if (!req._consuming && !req._readableState.resumeScheduled) req._dump()
    this.detachSocket(socket)
    process.nextTick(closed, this)
    queues.get(socket).shift()?.assignSocket(socket)
  }
  function closed(response) {
    response.destroyed = true
    response._closed = true
    response.emit('close')
  }
  function serve(socket) {
    const req = new http.IncomingMessage(socket)
    req.httpVersionMajor = 1
    req.httpVersionMinor = 1
    req.httpVersion = '1.1'
    req.url = target
    req.method = body ? 'POST' : 'GET'
    req.upgrade = false
    req._addHeaderLines(rawHeaders.slice(), rawHeaders.length)
    const res = new http.ServerResponse(req, options)
    res._keepAliveTimeout = 5000
    res.shouldKeepAlive = true
    if (socket._httpMessage) queues.get(socket).push(res)
    else res.assignSocket(socket)
    res.on('finish', finished)
    server.emit('request', req, res)
    if (body) req.push(Buffer.from(content))
    req.complete = true
    req.push(null)
  }
  server.on('listening', () => {
    server._handle.onconnection = (_status, handle) => {
      const callback = (length) => {
        for (let count = Math.round(length / request.length); count > 0; count--) serve(socket)
        return true
      }
      const socket = new net.Socket({ handle, allowHalfOpen: true, onread: { buffer, callback } })
      handle.setNoDelay(true)
      queues.set(socket, [])
      socket.on('error', () => {})
      socket.on('end', () => socket.end())
    }
  })
  return server
}

function plain() {
  return (req, res) => {
    if (req.method === 'POST') {
      let text = ''
      req.setEncoding('utf8')
      req.on('data', (part) => {
        text += part
      })
      req.on('end', () => {
        res.setHeader('Content-Type', 'application/json')
        res.end(JSON.stringify(JSON.parse(text)))
      })
    } else if (req.url === '/large') {
      res.setHeader('Content-Type', 'application/octet-stream')
      res.end(LARGE)
    } else {
      res.setHeader('Content-Type', 'text/plain')
      res.end('Hello, world')
    }
  }
}

function framework(name) {
  return require(join(frameworks, name))
}

async function fastify() {
  const instance = framework('fastify')()
  instance.get('/', (_request, reply) => reply.type('text/plain').send('Hello, world'))
  instance.get('/large', (_request, reply) => reply.type('application/octet-stream').send(LARGE))
  instance.post('/', (incoming) => Promise.resolve(incoming.body))
  await instance.ready()
  return (req, res) => instance.routing(req, res)
}

function express() {
  const create = framework('express')
  const instance = create()
  instance.get('/', (_req, res) => res.type('text/plain').send('Hello, world'))
  instance.get('/large', (_req, res) => res.type('application/octet-stream').send(LARGE))
  instance.post('/', create.json(), (req, res) => res.json(req.body))
  return instance
}

function koa() {
  const Koa = framework('koa')
  const instance = new Koa()
  instance.use(async (context) => {
    if (context.method === 'POST') {
      let text = ''
      for await (const part of context.req.setEncoding('utf8')) text += part
      context.body = JSON.parse(text)
    } else if (context.path === '/large') {
      context.type = 'application/octet-stream'
      context.body = LARGE
    } else {
      context.body = 'Hello, world'
    }
  })
  return instance.callback()
}
