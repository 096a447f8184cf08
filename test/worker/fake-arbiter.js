/**
 * An arbiter without policy, in a process of its own: starts one worker through the real kernel and says what it is told.
 * One JSON object a line in, one a line out. argv[2]: `{file, export?, args?, nodeOptions?, env?, bind?, settings?, slot?}`.
 * In: `{"say": message}`, `{"signal": name}`. Out: what the worker says, `{"kind": "exit", …}`, `{"kind": "asked", …}`.
 */
const { createInterface } = require('node:readline')
const { loadKernel } = require('../../dist/kernel/addon.js')
const { Channel } = require('../../dist/channel/channel.js')
const { TO_ARBITER } = require('../../dist/channel/decode.js')
const { BYTES, COLUMN, row } = require('../../dist/channel/heartbeat.js')
const { childEnvironment } = require('../../dist/kernel/environment.js')
const { nodeArguments } = require('../../dist/worker/exec-argv.js')

const kernel = loadKernel()
const order = JSON.parse(process.argv[2])
const settings = order.settings ?? {}
const backlog = settings.backlog ?? 2048
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

const memory = kernel.sharedMemory('heartbeat', BYTES)
const alarm = kernel.alarm()
const view = row(kernel.map(memory), 3)
const bound = (order.bind ?? []).map((address) => kernel.listen(address, { backlog }))
/** What the workers asked for; open for as long as we live. */
const opened = new Map()

const [ours, theirs] = kernel.channelPair()
const env = childEnvironment({ ...process.env, ...order.env, MONOCEROS_CHANNEL: '3' })
const argv = nodeArguments({
  file: order.file,
  export: order.export ?? null,
  args: order.args ?? [],
  nodeOptions: order.nodeOptions ?? [],
  variable: env.NODE_OPTIONS,
})
const worker = kernel.spawn({
  file: process.execPath,
  argv: ['node', ...argv],
  env,
  fds: [0, 1, 2].map((fd) => ({ from: fd === 1 ? 2 : fd, to: fd })).concat({ from: theirs, to: 3 }),
  leader: 'group',
  parentDeathSignal: 'SIGKILL',
})
kernel.close(theirs)
tell({ kind: 'spawned', pid: worker })

const channel = new Channel(kernel, ours, TO_ARBITER)
channel.send(
  {
    kind: 'go',
    protocol: order.protocol ?? 1,
    version: '0.0.0',
    arbiter: order.arbiter ?? process.pid,
    slot: order.slot ?? 0,
    generation: 1,
    cell: 3,
    listeners: bound.map((fd) => kernel.listenerAddress(fd)),
    settings,
  },
  [memory, alarm, ...bound],
)
channel.open({
  message: (message) => (message.kind === 'listen' ? open(message) : tell(message)),
  garbled: (why) => tell({ kind: 'garbled', why }),
  ended: () => setImmediate(reap),
})

function open({ id, address, backlog: queue }) {
  const key = JSON.stringify(address)
  tell({ kind: 'asked', address, backlog: queue })
  try {
    const fd = opened.get(key) ?? kernel.listen(address, { backlog: queue })
    opened.set(key, fd)
    channel.send({ kind: 'listening', id, address: kernel.listenerAddress(fd) }, [fd])
  } catch (error) {
    channel.send({ kind: 'refused', id, code: error.code, message: error.message })
  }
}

function reap() {
  const [exit] = kernel.reap([worker])
  if (exit === undefined) return setImmediate(reap)
  tell({ kind: 'exit', code: exit.code, signal: exit.signal })
  process.exit()
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { say, signal, ring, look, closeListeners, end } = JSON.parse(line)
  if (say !== undefined)
    channel.send(
      say,
      (say.files ?? []).map((_, index) => kernel.openAppend(say.paths[index])),
    )
  if (signal !== undefined) kernel.kill(worker, signal)
  if (ring) kernel.ring(alarm)
  if (look) tell({ kind: 'row', ...Object.fromEntries(Object.entries(COLUMN).map(([name, at]) => [name, view[at]])) })
  if (closeListeners) for (const fd of [...bound, ...opened.values()]) kernel.close(fd)
  if (end) channel.close()
})
