/**
 * CPU time of a request without the kernel: handles that do nothing stand in for connections, so that a busy machine
 * matters little. node:http (its parser is fed through the stream here), Node's stock objects without any parsing, and
 * the engine, in turn in this one process; the least of the rounds counts.
 *
 *     npm run bench -- http-cpu [--rounds 7] [--loads bare,browser] [--app express --frameworks FOLDER]
 *                               [--sides node,engine]
 */
const http = require('node:http')
const net = require('node:net')
const { parseArgs } = require('node:util')
const { LOADS } = require('./http-loads.js')
const { APPS, ceiling } = require('./http-sides.js')
const { helpersFirst, ordinary } = require('./support/priority.js')
const { attach } = require('../dist/http/attach.js')
const { CONNECTION } = require('../dist/http/node.js')
const { socketFor } = require('../dist/http/socket.js')

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    loads: { type: 'string', default: Object.keys(LOADS).join() },
    app: { type: 'string', default: 'plain' },
    sides: { type: 'string', default: 'node,ceiling,engine' },
    frameworks: { type: 'string' },
  },
})
const SIDES = { node, ceiling: stock, engine }
const CONNECTIONS = 32
const ROUND = 250

main()

async function main() {
  helpersFirst(process.pid)
  console.log(`node ${process.version}, ${values.rounds} rounds, microseconds a request`)
  for (const load of values.loads.split(',')) {
    const listener = await APPS[values.app](values.frameworks)
    const runs = Object.fromEntries(values.sides.split(',').map((side) => [side, SIDES[side](listener, load)]))
    const best = {}
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const [side, run] of Object.entries(runs)) {
        const time = await timed(run, LOADS[load].times)
        if (round > 0) best[side] = Math.min(best[side] ?? Number.POSITIVE_INFINITY, time)
      }
    }
    const columns = Object.entries(best).map(([side, time]) => `${side} ${time.toFixed(2)}`)
    const ratio = best.node && best.engine ? `node/engine ${(best.node / best.engine).toFixed(2)}` : ''
    console.log(`${load.padEnd(10)} ${columns.join('  ')}  ${ratio}`)
  }
  ordinary(process.pid)
  process.exit()
}

async function timed(run, times) {
  const before = process.cpuUsage()
  const start = performance.now()
  let count = 0
  while (performance.now() - start < ROUND) {
    run()
    count += CONNECTIONS * times
    await new Promise(setImmediate)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

function engine(listener, load) {
  const server = http.createServer(listener)
  attach(server)
  const packet = packetOf(load)
  const connections = Array.from({ length: CONNECTIONS }, () => {
    const socket = socketFor(server, idleHandle())
    server.emit('connection', socket)
    return socket[CONNECTION]
  })
  return () => {
    for (const connection of connections) connection.receive(packet, 0, packet.length)
  }
}

function node(listener, load) {
  const server = http.createServer(listener)
  const packet = packetOf(load)
  const sockets = Array.from({ length: CONNECTIONS }, () => {
    const socket = new net.Socket({ handle: idleHandle(), allowHalfOpen: true })
    server.emit('connection', socket)
    return socket
  })
  return () => {
    for (const socket of sockets) socket.push(packet)
  }
}

function stock(listener, load) {
  const server = http.createServer(listener)
  const serve = ceiling(server, LOADS[load])
  const sockets = Array.from(
    { length: CONNECTIONS },
    () => new net.Socket({ handle: idleHandle(), allowHalfOpen: true }),
  )
  return () => {
    for (const socket of sockets) for (let time = 0; time < LOADS[load].times; time++) serve(socket)
  }
}

function packetOf(load) {
  return Buffer.from(LOADS[load].request.repeat(LOADS[load].times))
}

/** What a net.Socket calls; every write is done at once. */
function idleHandle() {
  const done = () => 0
  return {
    reading: false,
    bytesRead: 0,
    bytesWritten: 0,
    getAsyncId: () => 1,
    readStart: done,
    readStop: done,
    useUserBuffer: done,
    setNoDelay: done,
    writeUtf8String: done,
    writeLatin1String: done,
    writeAsciiString: done,
    writeBuffer: done,
    writev: done,
  }
}
