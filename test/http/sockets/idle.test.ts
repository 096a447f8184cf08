/** Ten thousand connections on which nothing happens. */
import { once } from 'node:events'
import net from 'node:net'
import { startServers } from './server.ts'
import { wellBehaved } from './well-behaved.ts'

const COUNT = 10_000
/** Opened at once. */
const PORTION = 250
/** Bytes that one may cost: of the heap with what lies beside it, and of the whole process. */
const MOST_HEAP = 6_000
const MOST_RESIDENT = 20_000

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

test(`${COUNT} idle connections cost little, others are served meanwhile, and they are closed in time.`, async () => {
  const servers = startServers([{ name: 'plain', timeouts: { keepAliveTimeout: 600_000, headersTimeout: 600_000 } }])
  const port = await servers.port('plain')
  const other = wellBehaved(port)
  const before = await servers.heap()
  const clients: net.Socket[] = []
  // Half of them have asked something, half never said a word.
  for (let made = 0; made < COUNT; made += PORTION) {
    const some = Array.from({ length: PORTION }, () => net.connect(port, '127.0.0.1').on('error', () => {}))
    await Promise.all(some.map((client) => once(client, 'connect')))
    const asking = some.slice(PORTION / 2)
    for (const client of asking) client.write(GET)
    await Promise.all(asking.map((client) => once(client, 'data')))
    clients.push(...some)
  }
  const after = await servers.heap()
  const { connections, idle } = await servers.counts()
  expect(connections).toBeGreaterThanOrEqual(COUNT)
  expect(idle).toBeGreaterThanOrEqual(COUNT)
  expect((after.used - before.used) / COUNT).toBeLessThan(MOST_HEAP)
  expect((after.rss - before.rss) / COUNT).toBeLessThan(MOST_RESIDENT)
  expect(await other.stop()).toBeGreaterThan(0)

  const silent = clients.filter((client) => client.bytesWritten === 0)
  const asked = clients.filter((client) => client.bytesWritten > 0)
  await servers.hurry()
  await Promise.all(asked.map((client) => client.destroyed || once(client, 'close')))
  for (const client of silent) client.destroy()
  await servers.isUnharmed()
})
