/** DNS queries of workers that were forked, by resolvers from before the fork. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { serve } from '../arbiter/service.ts'

const KINDS = ['module', 'promises', 'resolver', 'promised']

type Query = { readonly number: number; readonly kind: string; readonly worker: string }

/** Answers that no name exists, but for those of the kind `silent`. */
async function nameServer(queries: Query[]): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port }) => {
    const kind = query.toString('latin1', 13, 13 + query[12]!)
    const at = 13 + query[12]!
    queries.push({ number: query.readUInt16BE(0), kind, worker: query.toString('latin1', at + 1, at + 1 + query[at]!) })
    if (kind === 'silent') return
    query.writeUInt16BE(0x81_83, 2)
    socket.send(query, port)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

test('are numbered by each for itself, and as their resolver was told to ask', async () => {
  const queries: Query[] = []
  const server = await nameServer(queries)
  try {
    const address = `127.0.0.1:${server.address().port}`
    const { program } = serve(['--preload', '--no-preload-spare', '--startsecs', '0', '-w', '4'], {
      files: {
        'app.js': `
        const dns = require('node:dns')
        dns.setServers(['${address}'])
        const { resolve4 } = dns, { resolve4: promised } = dns.promises
        const resolver = new dns.Resolver(), other = new dns.promises.Resolver()
        const silent = new dns.Resolver({ timeout: 20, tries: 1 })
        for (const one of [resolver, other, silent]) one.setServers(['${address}'])
        const none = (error) => { if (error.code !== 'ENOTFOUND') throw error }
        // Each has asked before.
        for (const one of [dns, resolver]) one.resolve4('early.early', () => {})
        require('node:http').createServer().listen(3000, async () => {
          for (let n = 0; n < 2; n++) {
            await new Promise((resolve) => resolve4('module.' + process.pid, resolve)).then(none)
            await promised('promises.' + process.pid).catch(none)
            await new Promise((resolve) => resolver.resolve4('resolver.' + process.pid, resolve)).then(none)
            await other.resolve4('promised.' + process.pid).catch(none)
          }
          const cancelled = new Promise((resolve) => resolver.resolve4('silent.cancelled', resolve))
          resolver.cancel()
          const { code } = await new Promise((resolve) => silent.resolve4('silent.' + process.pid, resolve))
          console.log('asked ' + [code, (await cancelled).code, ...silent.getServers(), ...dns.getServers()].join())
        })`,
      },
    })
    for (const [line] of await program.lines(/^asked .*$/, 4))
      expect(line).toBe(`asked ETIMEOUT,ECANCELLED,${address},${address}`)
    const of = (kind: string): readonly Query[] => queries.filter((query) => query.kind === kind)
    for (const kind of KINDS) {
      expect(of(kind)).toHaveLength(8)
      const workers = [...new Set(of(kind).map(({ worker }) => worker))]
      // Two numbers of 16 bits each.
      const numbers = workers.map((worker) =>
        of(kind)
          .filter((query) => query.worker === worker)
          .map(({ number }) => number)
          .join(),
      )
      expect(new Set(numbers).size).toBe(4)
    }
    // One try each.
    expect(of('silent').filter(({ worker }) => worker !== 'cancelled')).toHaveLength(4)
  } finally {
    server.close()
  }
})
