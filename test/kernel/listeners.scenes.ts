/** Listening sockets. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chownSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { connect, createServer as createTcpServer, type NetConnectOpts, Socket } from 'node:net'
import type { Kernel, ListenerAddress } from '../../lib/kernel/kernel.ts'
import { type Fd, fd } from '../../lib/units.ts'
import { scratch } from '../support/scratch.ts'
import { realKernel } from './real.ts'

const here = { backlog: 16 }

/** How a client got on: `connect`, or the error's code. */
async function attempt(options: NetConnectOpts): Promise<string> {
  const socket = connect(options)
  try {
    await once(socket, 'connect')
    return 'connect'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  } finally {
    socket.destroy()
  }
}

const portOf = (kernel: Kernel, listener: Fd): number => {
  const address = kernel.listenerAddress(listener)
  assert(address.kind === 'tcp')
  return address.port
}

export const scenes = {
  'a UNIX socket has exactly the mode and owner asked for, whatever the umask': () => {
    const kernel = realKernel()
    const folder = scratch()
    for (const mask of [0, 0o022, 0o777]) {
      for (const mode of [0o600, 0o660, 0o666, 0o777]) {
        process.umask(mask)
        const path = `${folder}/${mask}-${mode}`
        kernel.listen({ kind: 'unix', path, mode, uid: 12, gid: 34 }, here)
        const { mode: got, uid, gid } = lstatSync(path)
        assert.deepEqual([got & 0o7777, uid, gid], [mode, 12, 34])
      }
    }
    kernel.listen({ kind: 'unix', path: `${folder}/default` }, here)
    assert.equal(lstatSync(`${folder}/default`).mode & 0o7777, 0o666)
    assert.equal(readdirSync(folder).filter((name) => name.endsWith('~')).length, 0)
  },

  'a socket file left behind is replaced, and at every moment a path is old or new': async () => {
    const kernel = realKernel()
    const path = `${scratch()}/s`
    kernel.close(kernel.listen({ kind: 'unix', path }, here))
    assert.equal(await attempt({ path }), 'ECONNREFUSED')
    const old = statSync(path).ino
    const listener = kernel.listen({ kind: 'unix', path }, here)
    assert.notEqual(statSync(path).ino, old)
    assert.equal(await attempt({ path }), 'connect')
    assert.deepEqual(kernel.listenerAddress(listener), { kind: 'unix', path })
  },

  'a living server keeps its path': async () => {
    const kernel = realKernel()
    const path = `${scratch()}/s`
    const server = createTcpServer().listen(path)
    await once(server, 'listening')
    const { ino } = statSync(path)
    assert.throws(() => kernel.listen({ kind: 'unix', path }, here), { code: 'EADDRINUSE', path })
    assert.equal(statSync(path).ino, ino)
    server.close()
  },

  'a file that is no socket is not replaced': () => {
    const kernel = realKernel()
    const folder = scratch()
    writeFileSync(`${folder}/file`, 'mine')
    mkdirSync(`${folder}/folder`)
    symlinkSync('/nowhere', `${folder}/link`)
    for (const name of ['file', 'folder', 'link'])
      assert.throws(() => kernel.listen({ kind: 'unix', path: `${folder}/${name}` }, here), { code: 'EEXIST' })
    assert.equal(readdirSync(folder).length, 3)
  },

  'a path that cannot be made says why and leaves nothing': () => {
    const kernel = realKernel()
    const folder = scratch()
    const before = kernel.listFds()
    const refused = (path: string, code: string): void =>
      assert.throws(() => kernel.listen({ kind: 'unix', path }, here), { code, path })
    refused(`${folder}/missing/s`, 'ENOENT')
    refused(`${folder}/${'x'.repeat(100 - folder.length)}`, 'ENAMETOOLONG')
    kernel.close(kernel.listen({ kind: 'unix', path: `${folder}/${'x'.repeat(99 - folder.length)}` }, here))
    chownSync(folder, 65534, 65534)
    process.setegid!(1)
    process.seteuid!(1)
    assert.throws(() => kernel.listen({ kind: 'unix', path: `${folder}/s` }, here), { code: 'EACCES' })
    process.seteuid!(0)
    assert.deepEqual(kernel.listFds(), before)
    assert.deepEqual(readdirSync(folder).length, 1)
  },

  'a name that ends like a temporary one is told as it is': () => {
    const kernel = realKernel()
    for (const name of ['app.sock~', 'app.~', '.~', 'app.1~.2~']) {
      const path = `${scratch()}/${name}`
      assert.deepEqual(kernel.listenerAddress(kernel.listen({ kind: 'unix', path }, here)), { kind: 'unix', path })
    }
  },

  'TCP addresses are bound as numbers of both families': async () => {
    const kernel = realKernel()
    const wanted: ListenerAddress[] = [
      { kind: 'tcp', host: '0.0.0.0', port: 0 },
      { kind: 'tcp', host: '::', port: 0, v6only: false },
      { kind: 'tcp', host: '::1', port: 0, v6only: true },
    ]
    for (const address of wanted) {
      const listener = kernel.listen(address, here)
      assert.deepEqual(kernel.listenerAddress(listener), { ...address, port: portOf(kernel, listener) })
    }
    const dual = kernel.listen({ kind: 'tcp', host: '::', port: 0 }, here)
    assert.equal(await attempt({ host: '127.0.0.1', port: portOf(kernel, dual) }), 'connect')
    const only = kernel.listen({ kind: 'tcp', host: '::', port: 0, v6only: true }, here)
    assert.equal(await attempt({ host: '127.0.0.1', port: portOf(kernel, only) }), 'ECONNREFUSED')
    assert.equal(await attempt({ host: '::1', port: portOf(kernel, only) }), 'connect')
    for (const [host, port] of [
      ['', 0],
      ['localhost', 0],
      ['127.0.0.1', -1],
      ['127.0.0.1', 65536],
      ['1.2.3', 'x' as never],
    ] as const)
      assert.throws(() => kernel.listen({ kind: 'tcp', host, port }, here))
  },

  'a port in use and an address that is not ours say so': () => {
    const kernel = realKernel()
    const port = portOf(kernel, kernel.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, here))
    const listen = (host: string, at: number) => () => kernel.listen({ kind: 'tcp', host, port: at }, here)
    assert.throws(listen('127.0.0.1', port), { code: 'EADDRINUSE', path: `127.0.0.1:${port}` })
    assert.throws(listen('192.0.2.1', 0), { code: 'EADDRNOTAVAIL' })
    process.seteuid!(65534)
    assert.throws(listen('127.0.0.1', 1), { code: 'EACCES' })
  },

  'a port can be shared by those who ask for it': () => {
    const kernel = realKernel()
    const shared = { ...here, reusePort: true }
    const port = portOf(kernel, kernel.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, shared))
    const address: ListenerAddress = { kind: 'tcp', host: '127.0.0.1', port }
    kernel.listen(address, shared)
    assert.throws(() => kernel.listen(address, here), { code: 'EADDRINUSE' })
  },

  'the backlog is the one asked for': async () => {
    const kernel = realKernel()
    const path = `${scratch()}/s`
    const listener = kernel.listen({ kind: 'unix', path }, { backlog: 2 })
    const clients = Array.from({ length: 3 }, () => connect(path)) // one more than the backlog, unix(7)
    await Promise.all(clients.map((client) => once(client, 'connect')))
    assert.equal(await attempt({ path }), 'EAGAIN')
    assert.throws(() => kernel.listen({ kind: 'unix', path }, here), { code: 'EADDRINUSE' })
    const accepted = [kernel.accept(listener), kernel.accept(listener), kernel.accept(listener)]
    assert(accepted.every((one) => one !== null) && kernel.accept(listener) === null)
    for (const client of clients) client.destroy()
  },

  'an accepted connection is a socket of Node, whose peer is known': async () => {
    const kernel = realKernel()
    const path = `${scratch()}/s`
    const listener = kernel.listen({ kind: 'unix', path }, here)
    const client = connect(path)
    await once(client, 'connect')
    const connection = kernel.accept(listener)!
    assert.deepEqual(kernel.peer(connection), { pid: process.pid, uid: 0, gid: 0 })
    const socket = new Socket({ fd: connection })
    socket.end('hello')
    assert.equal(String((await once(client, 'data'))[0]), 'hello')
    client.destroy()
  },

  'a listener serves a server of Node': async () => {
    const kernel = realKernel()
    const listener = kernel.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, here)
    const server = createServer((_request, response) => response.end('served')).listen({ fd: listener })
    await once(server, 'listening')
    const [response] = await once(request({ port: portOf(kernel, listener) }).end(), 'response')
    assert.equal(String((await once(response, 'data'))[0]), 'served')
    server.close()
    server.closeAllConnections()
  },

  'a descriptor that is no listener has no address': () => {
    const kernel = realKernel()
    assert.throws(() => kernel.listenerAddress(kernel.pipe().read), { code: 'ENOTSOCK' })
    assert.throws(() => kernel.listenerAddress(kernel.channelPair()[0]), { code: 'EINVAL' })
    assert.throws(() => kernel.listenerAddress(fd(999)), { code: 'EBADF' })
  },

  'an abstract listener from elsewhere is named with its NUL': async () => {
    const name = `\0mono-${process.pid}`
    const server = createTcpServer().listen(name)
    await once(server, 'listening')
    const { fd: handle } = (server as never as { _handle: { fd: number } })._handle
    const address = realKernel().listenerAddress(fd(handle))
    server.close()
    // Node 20 fills the name up with NULs, which are a part of it.
    assert(address.kind === 'unix' && address.path.replace(/\0*$/, '') === name)
  },
}
