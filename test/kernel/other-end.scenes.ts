/** Who holds the other end of a connection. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { Kernel, ListenerAddress } from '../../lib/kernel/kernel.ts'
import { type Fd, fd } from '../../lib/units.ts'
import { scratch } from '../support/scratch.ts'
import { realKernel } from './real.ts'

const here = { backlog: 16 }

/** Both ends of a connection: our descriptor, and the client's socket. */
async function connected(kernel: Kernel, address: ListenerAddress, host?: string): Promise<[Fd, Socket]> {
  const listener = kernel.listen(address, here)
  const at = kernel.listenerAddress(listener)
  const where: NetConnectOpts = at.kind === 'unix' ? { path: at.path } : { host: host ?? at.host, port: at.port }
  const client = connect({ ...where, allowHalfOpen: true })
  await once(client, 'connect')
  const connection = kernel.accept(listener)
  assert(connection !== null)
  kernel.close(listener)
  return [connection, client]
}

async function destroyed(client: Socket): Promise<void> {
  await once(client.destroy(), 'close')
}

const ADDRESSES: Readonly<Record<string, () => [ListenerAddress, string?]>> = {
  'an IPv4 connection': () => [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
  'an IPv6 connection': () => [{ kind: 'tcp', host: '::1', port: 0 }],
  'an IPv4 connection to an IPv6 listener': () => [{ kind: 'tcp', host: '::', port: 0 }, '127.0.0.1'],
  'a connection over a UNIX socket': () => [{ kind: 'unix', path: `${scratch()}/s` }],
}

const held = Object.entries(ADDRESSES).map(([title, address]) => [
  `the other end of ${title} is held while its client is open or half-closed, and left once it is closed`,
  async () => {
    const kernel = realKernel()
    const [connection, client] = await connected(kernel, ...address())
    assert.equal(kernel.otherEnd(connection), 'held')
    client.end()
    await once(client, 'finish')
    assert.equal(kernel.otherEnd(connection), 'held')
    await destroyed(client)
    assert.equal(kernel.otherEnd(connection), 'left')
  },
])

export const scenes: Record<string, () => void | Promise<void>> = {
  ...Object.fromEntries(held),

  'an end is held as long as any process has it': async () => {
    const kernel = realKernel()
    const [connection, client] = await connected(kernel, { kind: 'tcp', host: '127.0.0.1', port: 0 })
    const copy = kernel.dup(fd((client as unknown as { _handle: { fd: number } })._handle.fd))
    client.end()
    await destroyed(client)
    assert.equal(kernel.otherEnd(connection), 'held')
    kernel.close(copy)
    assert.equal(kernel.otherEnd(connection), 'left')
  },

  'an end that was reset is left': async () => {
    const kernel = realKernel()
    const [connection, client] = await connected(kernel, { kind: 'tcp', host: '127.0.0.1', port: 0 })
    await once(client.resetAndDestroy(), 'close')
    assert.equal(kernel.otherEnd(connection), 'left')
  },

  'what is no socket has no other end': () => {
    const kernel = realKernel()
    assert.throws(() => kernel.otherEnd(kernel.pipe().read), { code: 'ENOTSOCK' })
    assert.throws(() => kernel.otherEnd(fd(999)), { code: 'EBADF' })
  },

  'asking leaves no descriptor behind': async () => {
    const kernel = realKernel()
    const [connection, client] = await connected(kernel, { kind: 'tcp', host: '127.0.0.1', port: 0 })
    const before = kernel.listFds()
    for (let count = 0; count < 10; count++) kernel.otherEnd(connection)
    assert.deepEqual(kernel.listFds(), before)
    await destroyed(client)
  },
}
