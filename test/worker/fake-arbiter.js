/**
 * An arbiter without policy, in a process of its own: starts one worker through the real kernel and says what it is told.
 * One JSON object a line in, one a line out. argv[2] is an `Order` of `worker.ts`, as JSON.
 */
const { createInterface } = require('node:readline')
const { loadKernel } = require('../../dist/kernel/addon.js')
const { Channel } = require('../../dist/channel/channel.js')
const { TO_ARBITER } = require('../../dist/channel/decode.js')
const { PROTOCOL } = require('../../dist/channel/messages.js')
const { BYTES, COLUMN, row } = require('../../dist/channel/heartbeat.js')
const { loadConfig } = require('../../dist/config/load.js')
const { childEnvironment } = require('../../dist/kernel/environment.js')
const { nodeArguments } = require('../../dist/channel/command.js')

/** The worker's row in the heartbeat memory: any but the first. */
const CELL = 3
const order = JSON.parse(process.argv[2])
const kernel = loadKernel()
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

async function main() {
  const env = childEnvironment({ ...process.env, ...order.env, MONOCEROS_CHANNEL: '3' })
  const { loaded } = await loadConfig([order.file], env, process.cwd())
  const settings = { ...loaded.worker, ...order.settings }
  const memory = kernel.sharedMemory('heartbeat', BYTES)
  const cells = row(kernel.map(memory), CELL)
  const alarm = kernel.alarm()
  const bound = (order.bind ?? []).map((address) => kernel.listen(address, { backlog: settings.backlog }))
  /** What the worker asked for; open for as long as we live. */
  const opened = new Map()
  const [ours, theirs] = kernel.channelPair()
  const { file, args = [], nodeOptions = [] } = order
  const command = { file, export: order.export ?? null, args, nodeOptions, variable: env.NODE_OPTIONS }
  const worker = kernel.spawn({
    file: process.execPath,
    argv: ['node', ...nodeArguments(command)],
    env,
    // The worker's stdout goes to our stderr: our own stdout is the conversation.
    fds: [
      { from: 0, to: 0 },
      { from: 2, to: 1 },
      { from: 2, to: 2 },
      { from: theirs, to: 3 },
    ],
    leader: 'group',
    parentDeathSignal: 'SIGKILL',
  })
  kernel.close(theirs)
  tell({ kind: 'spawned', pid: worker, bound: bound.map((fd) => kernel.listenerAddress(fd)) })

  const channel = new Channel(kernel, ours, TO_ARBITER)
  channel.send(
    {
      kind: 'go',
      protocol: PROTOCOL,
      version: '0.0.0',
      arbiter: process.pid,
      slot: 0,
      generation: 1,
      cell: CELL,
      listeners: bound.map((fd) => kernel.listenerAddress(fd)),
      settings,
      waits: false,
      lasts: 0,
      ...order.go,
    },
    [memory, alarm, ...bound],
  )
  channel.open({
    message: (message) => {
      if (message.kind === 'listen') open(message)
      else if (message.kind === 'unlisten') close(message)
      else tell(message)
    },
    garbled: (why) => tell({ kind: 'garbled', why }),
    ended: () => setImmediate(reap),
  })

  function open({ id, address, backlog }) {
    const key = JSON.stringify(address)
    tell({ kind: 'asked', address, backlog })
    try {
      const fd = opened.get(key) ?? kernel.listen(address, { backlog })
      opened.set(key, fd)
      channel.send({ kind: 'listening', id, address: kernel.listenerAddress(fd) }, [fd])
    } catch (error) {
      channel.send({ kind: 'refused', id, code: error.code, message: error.message })
    }
  }

  function close({ id, address }) {
    for (const [key, fd] of opened) {
      if (JSON.stringify(kernel.listenerAddress(fd)) !== JSON.stringify(address)) continue
      opened.delete(key)
      kernel.close(fd)
    }
    tell({ kind: 'unlistened', address })
    channel.send({ kind: 'unlistened', id })
  }

  function reap() {
    channel.hear()
    const [exit] = kernel.reap([worker])
    if (exit === undefined) return setImmediate(reap)
    tell({ kind: 'exited', code: exit.code, signal: exit.signal })
    process.exit()
  }

  createInterface({ input: process.stdin }).on('line', (line) => {
    const { say, paths = [], signal, ring, look, closeListeners } = JSON.parse(line)
    if (say !== undefined)
      channel.send(
        say,
        paths.map((path) => kernel.openAppend(path)),
      )
    if (signal !== undefined) kernel.kill(worker, signal)
    if (ring) kernel.ring(alarm)
    if (look)
      tell({ kind: 'row', ...Object.fromEntries(Object.entries(COLUMN).map(([name, at]) => [name, cells[at]])) })
    if (closeListeners) {
      for (const fd of [...bound, ...opened.values()]) kernel.close(fd)
      tell({ kind: 'closed' })
    }
  })
}

main()
