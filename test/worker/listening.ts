/** Servers that a test listens with itself, closed when it is over. */
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    const closed = once(server, 'close')
    // Of http2's it returns nothing.
    server.close()
    await closed
  }
})

/** Resolves with the port on the loopback. */
export async function listening(server: Server): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}
