/**
 * A client that counts whatever goes wrong, as a process of its own: `node load.js '{"port": 8000, "connections": 8}'`.
 * It works until its stdin ends, finishes what it has begun, and prints one line of JSON: `answered`, `opened` (how many
 * connections), `idle` (closed between two requests, which is no failure), `pids` (who answered), `failures` (how many of
 * each kind) and `samples` of them: when it was noticed, when its request was asked and its connection begun (milliseconds
 * of the epoch), and the connection's own port.
 *
 * Options: `port` and `host`, or `path` of a UNIX socket; `connections`; `keepAlive` (else a connection a request);
 * `method`, `bytes` of body; `pause`, milliseconds between two requests of a connection; `samples`, how many at most. The app answers with JSON that
 * has `pid` and `received`, the bytes of the body that came; a wrong count is a failure too.
 */
const net = require('node:net')

const DEFAULTS = { connections: 4, keepAlive: true, method: 'GET', bytes: 0, pause: 0, samples: 10 }
const { samples: mostSamples, ...options } = { ...DEFAULTS, ...JSON.parse(process.argv[2]) }
const { connections, keepAlive, method, bytes, pause } = options
/** Milliseconds after which an answer counts as lost. */
const PATIENCE = 15_000

const body = Buffer.alloc(bytes, 'x')
const head = Buffer.from(
  [
    `${method} / HTTP/1.1`,
    'Host: localhost',
    ...(keepAlive ? [] : ['Connection: close']),
    ...(method === 'GET' ? [] : [`Content-Length: ${bytes}`]),
    '\r\n',
  ].join('\r\n'),
)
const request = Buffer.concat([head, body])

const counts = { answered: 0, opened: 0, idle: 0 }
const failures = {}
const samples = []
const pids = new Set()
let stopping = false

function failed(what, detail) {
  failures[what] = (failures[what] ?? 0) + 1
  if (samples.length < mostSamples) samples.push({ at: now(), what, ...detail })
}

const now = () => performance.timeOrigin + performance.now()

/** One connection after another; resolves when everything is to end. */
async function work() {
  while (!stopping) {
    const problem = await converse()
    // A server that refuses must not be asked in a tight loop.
    if (problem) await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Opens a connection and uses it up. True when something went wrong. */
function converse() {
  return new Promise((resolve) => {
    const begun = now()
    const socket = net.connect(options)
    let from = null
    let asked = null
    let received = ''
    let waiting = false
    let done = 0
    let problem = false
    let timer

    const fail = (what, detail = {}) => {
      problem = true
      failed(what, { from, begun, asked, done, ...detail })
      socket.destroy()
    }
    const ask = () => {
      if (stopping) return socket.end()
      waiting = true
      asked = now()
      received = ''
      socket.write(request)
    }
    const answered = (last) => {
      waiting = false
      done += 1
      counts.answered += 1
      if (last || !keepAlive || stopping) socket.end()
      else if (pause > 0) timer = setTimeout(ask, pause)
      else ask()
    }

    socket.setTimeout(PATIENCE, () => fail(`no answer within ${PATIENCE / 1000} s`))
    socket.setEncoding('latin1')
    socket.setNoDelay(true)
    socket.on('connect', () => {
      counts.opened += 1
      from = socket.localPort ?? null
      ask()
    })
    socket.on('data', (text) => {
      received += text
      const end = received.indexOf('\r\n\r\n')
      if (!waiting) return fail('bytes that nobody asked for', { received })
      if (end < 0) return
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(received)?.[1] ?? Number.NaN)
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(received) ?? []
      if (status !== '200') return fail(`status ${status}`)
      if (received.length - end - 4 < length) return
      try {
        const answer = JSON.parse(received.slice(end + 4))
        pids.add(answer.pid)
        if (answer.received !== bytes) return fail('the body did not come whole', answer)
      } catch {
        return fail('an answer that is none', { received })
      }
      answered(/\r\nconnection: *close/i.test(received.slice(0, end)))
    })
    socket.on('error', (error) => {
      if (problem) return
      if (waiting || done === 0) fail(`${error.code}${received === '' ? '' : ' in an answer'}`)
      else counts.idle += 1
    })
    socket.on('end', () => {
      if (waiting && !problem) fail(received === '' ? 'closed without an answer' : 'closed in an answer')
      else if (!waiting && keepAlive && !stopping) counts.idle += 1
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(problem)
    })
  })
}

process.stdin.resume()
process.stdin.on('end', () => {
  stopping = true
})
Promise.all(Array.from({ length: connections }, work)).then(() => {
  const opened = { ...counts, failed: Object.values(failures).reduce((sum, count) => sum + count, 0) }
  process.stdout.write(`${JSON.stringify({ ...opened, pids: pids.size, failures, samples })}\n`, () => process.exit())
})
