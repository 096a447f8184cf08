/**
 * Listening handles: what a `net.Server` keeps in `_handle`. Node's cluster puts plain objects of this shape there, so
 * the shape is what both may rely on; it is the same on Node 20 to 26.
 */
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import type { Kernel } from '../../kernel/kernel.ts'
import { fd as asFd, type Fd } from '../../units.ts'

/** libuv's errors are negative numbers. */
export type Handle = {
  onconnection: ((status: number, client?: object) => void) | null
  readonly fd?: number
  listen(backlog: number): number
  close(done?: () => void): void
  ref(): void
  unref(): void
  /** Absent on UNIX sockets. */
  getsockname?(out: object): number
}

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  type: 4 | 6 | -1 | null,
  fd?: number,
) => Handle | number

const createHandle: CreateServerHandle = (address, port, type, fd) =>
  (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle(address, port, type, fd)

/** A handle for a listening socket. It owns the descriptor from then on. */
export const openHandle = (fd: Fd): Handle => {
  const handle = createHandle(null, null, null, fd)
  if (typeof handle === 'number') throw new Error(`descriptor ${fd} is no listening socket (libuv error ${handle})`)
  return handle
}

/**
 * A handle of the same kind as this one, bound where nobody else connects: the loopback interface, or the abstract
 * namespace (unix(7)). `target` is what `net.connect` takes.
 */
export const privateHandle = (like: Handle): { readonly handle: Handle; readonly target: net.NetConnectOpts } => {
  if (like.getsockname === undefined) {
    const path = `\0monoceros-${process.pid}-${randomBytes(8).toString('hex')}`
    const handle = createHandle(path, -1, -1)
    if (typeof handle === 'number') throw new Error(`cannot make a socket (libuv error ${handle})`)
    return { handle, target: { path } }
  }
  for (const [host, family] of [
    ['127.0.0.1', 4],
    ['::1', 6],
  ] as const) {
    const handle = createHandle(host, 0, family)
    const name: { port?: number } = {}
    if (typeof handle !== 'number' && handle.getsockname?.(name) === 0)
      return { handle, target: { host, port: name.port! } }
  }
  throw new Error('this machine has no loopback interface')
}

/** Stands where a handle would be given, and asks to be treated as none: a cluster worker's server must be given one. */
export const NO_HANDLE: Handle = {
  onconnection: null,
  listen: () => 0,
  close: () => undefined,
  ref: () => undefined,
  unref: () => undefined,
}

/** Several sockets behind one server. */
export type JoinedHandle = Handle & {
  readonly parts: readonly Handle[]
  /** Accepts on this one, too. */
  add(handle: Handle): void
  /** Closes this one. */
  remove(handle: Handle): void
}

/** Whatever one of the sockets accepts goes to the server's `onconnection`. */
export const joinHandles = (handles: readonly Handle[]): JoinedHandle => {
  const named = handles.find((handle) => handle.getsockname !== undefined)
  const parts = [...handles]
  let queue: number | null = null
  const begin = (handle: Handle): number => {
    handle.onconnection = (status, client) => joined.onconnection?.(status, client)
    return handle.listen(queue ?? 0)
  }
  const joined: JoinedHandle = {
    parts,
    onconnection: null,
    listen: (backlog) => {
      queue = backlog
      for (const handle of parts) {
        const error = begin(handle)
        if (error !== 0) return error
      }
      return 0
    },
    add: (handle) => {
      parts.push(handle)
      if (queue !== null) begin(handle)
    },
    remove: (handle) => {
      const at = parts.indexOf(handle)
      if (at >= 0) parts.splice(at, 1)
      handle.close()
    },
    close: (done) => {
      for (const handle of parts) handle.close()
      if (done !== undefined) process.nextTick(done)
    },
    ref: () => parts.forEach((handle) => void handle.ref()),
    unref: () => parts.forEach((handle) => void handle.unref()),
    ...(named === undefined ? {} : { getsockname: (out: object) => named.getsockname?.(out) ?? -1 }),
  }
  return joined
}

/**
 * Accepts what waits in the queue of a listening handle, until it is empty, and hands it to the server; closing the last
 * copy of a socket would reset these connections. At most `limit`, because new ones may come for ever.
 */
export const acceptRest = (kernel: Pick<Kernel, 'accept'>, handle: Handle, limit: number): number => {
  let accepted = 0
  for (const part of 'parts' in handle ? (handle.parts as readonly Handle[]) : [handle]) {
    if (part.fd === undefined || part.fd < 0) continue
    for (; accepted < limit; accepted++) {
      const connection = kernel.accept(asFd(part.fd))
      if (connection === null) break
      part.onconnection?.(0, clientHandle(part, connection))
    }
  }
  return accepted
}

/** 0 is SOCKET in TCP's as in Pipe's constants. */
const clientHandle = (listener: Handle, connection: Fd): object => {
  const Client = listener.constructor as new (type: 0) => { open(fd: number): number }
  const client = new Client(0)
  client.open(connection)
  return client
}

/**
 * What stands in for a closed handle, so that the server still says where it listens, counts as listening, and can be
 * closed by the app in the ordinary way, with `'close'` when its connections have ended.
 */
export const closedHandle = (handle: Handle): Handle => {
  const name = {}
  const known = handle.getsockname?.(name) === 0
  return {
    onconnection: null,
    listen: () => 0,
    close: (done) => {
      if (done !== undefined) process.nextTick(done)
    },
    ref: () => undefined,
    unref: () => undefined,
    ...(known ? { getsockname: (out: object) => Object.assign(out, name) && 0 } : {}),
  }
}
