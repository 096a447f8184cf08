/**
 * Servers with the engine attached, in a process of their own: `node --expose-gc server.js '[PROFILE, …]'`, see
 * `profiles.ts`. Prints `port NAME NUMBER` for each, and answers lines on stdin: `counts` with what all of them have open,
 * `heap` with the bytes in use after a collection, `hurry`
 * when idle connections are no longer kept. Whatever nobody catches ends it.
 */
const http = require('node:http')
const { createInterface } = require('node:readline')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { attach } = require('../../../dist/http/attach.js')
const { schemeReader, trust } = require('../../../dist/http/proxy/forwarded.js')

const certificate = (name) => readFileSync(join(__dirname, '..', 'engine', 'certificates', name))
const TLS = { cert: certificate('one.cert.pem'), key: certificate('one.key.pem') }

const LARGE = Buffer.alloc(65_536, 'x')
/** In the parts of a stream. */
const STREAMED = 4_000_000

const servers = JSON.parse(process.argv[2]).map(serve)

function serve({ name, options = {}, manners, ownError, tls = false, timeouts = {} }) {
  const { tunnels = true, proxyProtocol: mode, secureSchemeHeaders, ...rest } = options
  const scheme = secureSchemeHeaders && schemeReader(secureSchemeHeaders)
  const server = Object.assign(http.createServer(), timeouts)
  const engine = attach(server, {
    limits: rest,
    parser: rest,
    ...(mode && { proxy: { mode, trusts: trust(['*']) } }),
    ...(scheme && { refuse: (raw) => (typeof scheme(raw) === 'object' ? scheme(raw) : null) }),
    ...(tls && { tls: TLS }),
  })
  server.on('request', manners ? tellIn(manners) : route)
  if (ownError) server.on('clientError', (_error, socket) => answerError(socket, ownError))
  if (tunnels) server.on('upgrade', manners ? tellTunnel : echo).on('connect', manners ? tellTunnel : echo)
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () =>
    console.log(`port ${name} ${server.address().port}`),
  )
  return { server, engine }
}

/** As most listeners do. */
function answerError(socket, text) {
  if (socket.writable) socket.write(text)
  socket.destroy()
}

/** Says what it was asked, each request of a connection in the next of the manners. */
function tellIn(manners) {
  const requests = new WeakMap()
  return (req, res) => {
    const { socket } = req
    const index = requests.get(socket) ?? 0
    requests.set(socket, index + 1)
    TELL[manners[index % manners.length]](req, res)
  }
}

const TELL = {
  early: (req, res) => finish(res, told(req, null)),
  'at once': (req, res) => whole(req, (body) => finish(res, told(req, body))),
  later: (req, res) => whole(req, (body) => setImmediate(() => setTimeout(() => finish(res, told(req, body)), 1))),
  'in parts': (req, res) =>
    whole(req, (body) => {
      const text = told(req, body)
      res.sendDate = false
      res.write(text.subarray(0, 5))
      setImmediate(() => {
        res.write(text.subarray(5, 9))
        setImmediate(() => res.end(text.subarray(9)))
      })
    }),
}

function finish(res, text) {
  res.sendDate = false
  // HTTP/1.0 gets none by itself, and loses its connection by that.
  res.setHeader('Content-Length', text.length)
  res.end(text)
}

/** A request that is broken off ends with an error, which is no affair of this app. */
function whole(req, then) {
  let body = ''
  req.setEncoding('latin1').on('data', (text) => {
    body += text
  })
  req.on('end', () => then(body)).on('error', () => {})
}

function told({ method, url, rawHeaders, headers, rawTrailers, socket }, body) {
  const { host = null } = headers
  const trailers = body === null ? null : rawTrailers
  const from = socket.remoteAddress ?? null
  return Buffer.from(`${JSON.stringify({ method, url, rawHeaders, host, body, trailers, from })}\n`, 'latin1')
}

function tellTunnel(req, socket, head) {
  let rest = head.toString('latin1')
  socket.setEncoding('latin1').on('data', (text) => {
    rest += text
  })
  socket.on('error', () => {})
  socket.on('end', () => socket.end(Buffer.concat([Buffer.from('tunnel '), told(req, rest)])))
}

/** What large, endless and half responses are got from. */
function route(req, res) {
  if (req.url === '/large') return res.end(LARGE)
  if (req.url === '/stream') return stream(res, STREAMED)
  if (req.url === '/unread') return req.pause()
  let length = 0
  req.on('data', (data) => {
    length += data.length
  })
  req.on('error', () => {})
  req.on('end', () => res.end(`${req.url} ${length}\n`))
}

function stream(res, left) {
  for (let size = left; size > 0 && !res.destroyed; size -= LARGE.length) {
    if (!res.write(LARGE)) return res.once('drain', () => stream(res, size - LARGE.length))
  }
  return res.end()
}

function echo(_req, socket, head) {
  socket.on('error', () => {})
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  socket.write(head)
  socket.pipe(socket)
}

const COMMANDS = {
  async counts() {
    const open = await Promise.all(
      servers.map(({ server }) => new Promise((yes) => server.getConnections((_, n) => yes(n)))),
    )
    const sum = (of) => servers.reduce((total, { engine }) => total + of(engine.counts()), 0)
    return {
      open: open.reduce((total, each) => total + each, 0),
      connections: sum(({ connections }) => connections),
      active: sum(({ active }) => active),
      idle: sum(({ idle }) => idle),
      requests: sum(({ requests }) => requests),
    }
  },
  /** From now on nobody may be idle. */
  hurry() {
    for (const { server } of servers) Object.assign(server, { keepAliveTimeout: 1, keepAliveTimeoutBuffer: 0 })
    return {}
  },
  heap() {
    for (let round = 0; round < 3; round++) global.gc()
    const { heapUsed, external, rss } = process.memoryUsage()
    return { used: heapUsed + external, rss }
  },
}

createInterface(process.stdin).on('line', async (command) => {
  console.log(`${command} ${JSON.stringify(await COMMANDS[command]())}`)
})
