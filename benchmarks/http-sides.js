/** What `http.js` and `http-cpu.js` have in common: the apps, and Node's stock objects without any parsing. */
const http = require('node:http')
const { resolve } = require('node:path')

const LARGE = Buffer.alloc(65536, 'x')
const APPS = { plain, fastify, express, koa }

module.exports = { APPS, LARGE, ceiling }

/** Serves one request that is known beforehand, each time it is called with a socket. */
function ceiling(server, { target, body, rawHeaders }) {
  const options = { highWaterMark: 16384, rejectNonStandardBodyWrites: false }
  const content = Buffer.from(body)
  const queues = new WeakMap()
  function finished() {
    const { req, socket } = this
    if (!req._consuming && !req._readableState.resumeScheduled) req._dump()
    this.detachSocket(socket)
    process.nextTick(closed, this)
    queues.get(socket)?.shift()?.assignSocket(socket)
  }
  function closed(response) {
    response.destroyed = true
    response._closed = true
    response.emit('close')
  }
  return (socket) => {
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
    if (!socket._httpMessage) res.assignSocket(socket)
    else if (queues.has(socket)) queues.get(socket).push(res)
    else queues.set(socket, [res])
    res.on('finish', finished)
    server.emit('request', req, res)
    if (body) req.push(Buffer.from(content))
    req.complete = true
    req.push(null)
  }
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

function framework(frameworks, name) {
  return require(resolve(frameworks, name))
}

async function fastify(frameworks) {
  const instance = framework(frameworks, 'fastify')()
  instance.get('/', (_request, reply) => reply.type('text/plain').send('Hello, world'))
  instance.get('/large', (_request, reply) => reply.type('application/octet-stream').send(LARGE))
  instance.post('/', (incoming) => Promise.resolve(incoming.body))
  await instance.ready()
  return (req, res) => instance.routing(req, res)
}

function express(frameworks) {
  const create = framework(frameworks, 'express')
  const instance = create()
  instance.get('/', (_req, res) => res.type('text/plain').send('Hello, world'))
  instance.get('/large', (_req, res) => res.type('application/octet-stream').send(LARGE))
  instance.post('/', create.json(), (req, res) => res.json(req.body))
  return instance
}

function koa(frameworks) {
  const Koa = framework(frameworks, 'koa')
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
