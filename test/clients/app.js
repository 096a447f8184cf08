/** What the clients of these tests talk to: it tells each what it saw of its request. */
const { createServer } = require('node:http')
const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const routes = {
  '/page': (_, res) => {
    res.setHeader('Content-Type', 'text/html; charset=utf-8')
    res.end(readFileSync(join(__dirname, 'page.html')))
  },
  '/events': (_, res) => {
    res.setHeader('Content-Type', 'text/event-stream')
    res.write('retry: 100000\n\n')
    let sent = 0
    const timer = setInterval(() => {
      res.write(`id: ${++sent}\ndata: event ${sent}\n\n`)
      if (sent === 3) clearInterval(timer)
    }, 10)
    res.on('close', () => {
      clearInterval(timer)
      console.log('an event source left')
    })
  },
  '/trailers': (_, res) => {
    res.setHeader('Trailer', 'Checksum')
    res.write('body')
    res.addTrailers({ Checksum: 'abc' })
    res.end()
  },
  '/report': async (req, res) => {
    console.log(`report ${await text(req)}`)
    res.end()
  },
}

const server = createServer((req, res) => {
  const path = req.url.split('?')[0]
  if (Object.hasOwn(routes, path)) return routes[path](req, res)
  return seen(req, res)
})

/** The request as it came: what it was, from which connection, and how much of a body with which digest. */
async function seen(req, res) {
  const digest = createHash('sha256')
  let bytes = 0
  for await (const chunk of req) {
    bytes += chunk.length
    digest.update(chunk)
  }
  const { method, url, httpVersion, headers, trailers } = req
  const { remoteAddress, remotePort } = req.socket
  const body = { bytes, sha256: digest.digest('hex') }
  res.setHeader('Content-Type', 'application/json')
  res.end(JSON.stringify({ method, url, httpVersion, headers, trailers, remoteAddress, remotePort, body }))
}

async function text(req) {
  let all = ''
  for await (const chunk of req.setEncoding('utf8')) all += chunk
  return all
}

/** A WebSocket (RFC 6455) that sends each short text frame back. Others that ask for an upgrade are served as usual. */
server.on('upgrade', (req, socket, head) => {
  const accept = createHash('sha1')
    .update(req.headers['sec-websocket-key'] + GUID)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  let held = head
  const read = () => {
    while (held.length >= 6 && held.length >= 6 + (held[1] & 127)) {
      const length = held[1] & 127
      const mask = held.subarray(2, 6)
      const payload = held.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at % 4])
      const closing = (held[0] & 15) === 8
      socket.write(Buffer.concat([Buffer.from([held[0], length]), payload]))
      held = held.subarray(6 + length)
      if (closing) return socket.end()
    }
  }
  read()
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    read()
  })
})

server.listen(process.env.PORT ?? 3000)
