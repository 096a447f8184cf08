/** Descriptors of the fake kernel: channels, pipes, watches, listeners, memory. */
import { kernelError } from '../../lib/kernel/errors.ts'
import type { Datagram, Kernel, ListenerAddress, LoopHandle, OtherEnd, Peer, Watch } from '../../lib/kernel/kernel.ts'
import { type Fd, fd, type Ms, type Pid, pid } from '../../lib/units.ts'
import {
  channelFiles,
  isReady,
  MOST_QUEUED,
  type OpenFile,
  pipeFiles,
  plainFile,
  release,
  retain,
} from './fake-files.ts'

/** The pid that the fake kernel says is ours. */
export const OWN = pid(1000)
const FIRST_EPHEMERAL = 40_000

type OpenWatch = { readonly on: 'readable' | 'writable'; readonly callback: () => void; referenced: boolean }

type Descriptors =
  | 'watch'
  | 'channelPair'
  | 'send'
  | 'receive'
  | 'receiveNow'
  | 'writeNow'
  | 'notify'
  | 'pipe'
  | 'openAppend'
  | 'dup'
  | 'dup2'
  | 'close'
  | 'setCloseOnExec'
  | 'setNonBlocking'
  | 'listFds'
  | 'peer'
  | 'otherEnd'
  | 'lock'
  | 'listen'
  | 'listenerAddress'
  | 'accept'
  | 'sharedMemory'
  | 'map'
  | 'watchForStuckStack'
  | 'alarm'
  | 'ring'
  | 'loopHandles'

export abstract class FakeDescriptors implements Pick<Kernel, Descriptors> {
  /** What was said to the service manager: path and text. */
  readonly notified: [string, string][] = []
  /** Processes that hold a lock on a path, besides us. */
  readonly locks = new Map<string, Pid>()
  protected readonly files = new Map<Fd, OpenFile>([0, 1, 2].map((number) => [fd(number), retain(plainFile())]))
  readonly #watches = new Map<Fd, OpenWatch>()
  #nextPort = FIRST_EPHEMERAL
  #scheduled = false

  abstract advance(by: number): void

  /** A client connects to a listener of ours. */
  connect(listener: Fd): void {
    this.#listener(listener, 'connect').waiting.push(retain(plainFile()))
    this.changed()
  }

  watch(at: Fd, on: 'readable' | 'writable', callback: () => void): Watch {
    this.file(at, 'watch')
    if (this.#watches.has(at)) throw kernelError('EEXIST', 'watch', String(at))
    const watch: OpenWatch = { on, callback, referenced: true }
    this.#watches.set(at, watch)
    this.changed()
    return {
      ref: () => {
        watch.referenced = true
      },
      unref: () => {
        watch.referenced = false
      },
      close: () => {
        if (this.#watches.get(at) === watch) this.#watches.delete(at)
      },
    }
  }

  channelPair(): [Fd, Fd] {
    const [first, second] = channelFiles()
    return [this.open(first), this.open(second)]
  }

  send(channel: Fd, data: Uint8Array, fds: readonly Fd[] = []): boolean {
    const file = this.#channel(channel, 'sendmsg')
    if (data.byteLength === 0) throw kernelError('EINVAL', 'sendmsg')
    const files = fds.map((one) => this.file(one, 'sendmsg'))
    if (file.peer === null) throw kernelError('EPIPE', 'sendmsg')
    if (file.peer.inbox.length >= MOST_QUEUED) return false
    file.peer.inbox.push({ data: Buffer.from(data), files: files.map(retain) })
    this.changed()
    return true
  }

  receive(channel: Fd): Datagram | null | 'end' {
    const file = this.#channel(channel, 'recvmsg')
    const packet = file.inbox.shift()
    if (packet === undefined) return file.peer === null ? 'end' : null
    this.changed()
    const fds = packet.files.map((one) => this.open(one))
    packet.files.forEach(release)
    return { data: packet.data, fds }
  }

  /** Nothing can come while the event loop is held: the processes live on it. */
  receiveNow(channel: Fd, timeout: Ms): Datagram | null | 'end' {
    const answer = this.receive(channel)
    if (answer === null) this.advance(timeout)
    return answer
  }

  /** Nothing reads here, so everything fits. */
  writeNow(socket: Fd, data: Uint8Array): number {
    this.#channel(socket, 'send')
    return data.byteLength
  }

  notify(path: string, text: string): void {
    this.notified.push([path, text])
  }

  pipe(): { readonly read: Fd; readonly write: Fd } {
    const [read, write] = pipeFiles()
    return { read: this.open(read), write: this.open(write) }
  }

  openAppend(path: string): Fd {
    if (!/^\/[^/]*\/?[^/]*$/.test(path)) throw kernelError('ENOENT', 'open', path)
    return this.open({ kind: 'append', path, references: 0 })
  }

  dup(at: Fd): Fd {
    return this.open(this.file(at, 'fcntl'))
  }

  dup2(from: Fd, to: number): void {
    const file = retain(this.file(from, 'dup2'))
    if (this.files.has(fd(to))) this.close(fd(to))
    this.files.set(fd(to), file)
  }

  close(at: Fd): void {
    release(this.file(at, 'close'))
    this.files.delete(at)
    this.changed()
  }

  setCloseOnExec(at: Fd): void {
    this.file(at, 'fcntl')
  }

  setNonBlocking(at: Fd): void {
    this.file(at, 'fcntl')
  }

  listFds(): Fd[] {
    return [...this.files.keys()].sort((a, b) => a - b)
  }

  peer(socket: Fd): Peer {
    this.#channel(socket, 'getsockopt')
    return { pid: OWN, uid: 0, gid: 0 }
  }

  otherEnd(socket: Fd): OtherEnd {
    this.#channel(socket, 'getsockname')
    return 'held'
  }

  lock(at: Fd): Pid | 0 {
    const file = this.file(at, 'fcntl')
    return (file.kind === 'append' && this.locks.get(file.path)) || 0
  }

  listen(wanted: ListenerAddress): Fd {
    if (wanted.kind === 'tcp' && !/^[\d.]+$|:/.test(wanted.host)) throw kernelError('EINVAL', 'bind', name(wanted))
    const port = (wanted.kind === 'tcp' && wanted.port) || this.#nextPort++
    const address: ListenerAddress = wanted.kind === 'tcp' ? { ...wanted, port } : { kind: 'unix', path: wanted.path }
    for (const file of this.files.values())
      if (file.kind === 'listener' && name(file.address) === name(address))
        throw kernelError('EADDRINUSE', 'bind', name(address))
    return this.open({ kind: 'listener', address, waiting: [], references: 0 })
  }

  listenerAddress(listener: Fd): ListenerAddress {
    return this.#listener(listener, 'getsockname').address
  }

  accept(listener: Fd): Fd | null {
    const connection = this.#listener(listener, 'accept4').waiting.shift()
    if (connection === undefined) return null
    const accepted = this.open(connection)
    release(connection)
    return accepted
  }

  sharedMemory(name: string, bytes: number): Fd {
    if (!(bytes >= 1)) throw kernelError('EINVAL', 'ftruncate', name)
    return this.open({ kind: 'memory', buffer: new ArrayBuffer(bytes), references: 0 })
  }

  map(memory: Fd): ArrayBuffer {
    const file = this.file(memory, 'fcntl')
    if (file.kind !== 'memory') throw kernelError('EINVAL', 'fcntl')
    return file.buffer
  }

  watchForStuckStack(alarm: Fd): null {
    this.file(alarm, 'poll')
    return null
  }

  alarm(): Fd {
    return this.open({ kind: 'alarm', rung: 0, references: 0 })
  }

  ring(alarm: Fd): void {
    const file = this.file(alarm, 'write')
    if (file.kind === 'alarm') file.rung++
    this.changed()
  }

  loopHandles(): LoopHandle[] {
    return [...this.#watches.values()].map(({ referenced }) => ({ type: 'poll', active: true, referenced }))
  }

  /** One pass over all that is ready, in the next turn; as long as anything is ready and heard there is another. */
  protected changed(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.pass()) this.changed()
    })
  }

  /** Calls back whoever watches what is ready; says whether anybody was called. */
  protected pass(): boolean {
    let called = false
    for (const [at, watch] of [...this.#watches]) {
      const file = this.files.get(at)
      if (this.#watches.get(at) !== watch || file === undefined || !isReady(file, watch.on)) continue
      called = true
      watch.callback()
    }
    return called
  }

  protected open(file: OpenFile): Fd {
    let number = 3
    while (this.files.has(fd(number))) number++
    this.files.set(fd(number), retain(file))
    return fd(number)
  }

  protected file(at: Fd, syscall: string): OpenFile {
    const file = this.files.get(at)
    if (file === undefined) throw kernelError('EBADF', syscall, String(at))
    return file
  }

  #channel(at: Fd, syscall: string): Extract<OpenFile, { kind: 'channel' }> {
    const file = this.file(at, syscall)
    if (file.kind !== 'channel') throw kernelError('ENOTSOCK', syscall)
    return file
  }

  #listener(at: Fd, syscall: string): Extract<OpenFile, { kind: 'listener' }> {
    const file = this.file(at, syscall)
    if (file.kind === 'channel') throw kernelError('EINVAL', syscall, String(at))
    if (file.kind !== 'listener') throw kernelError('ENOTSOCK', syscall, String(at))
    return file
  }

  protected pipeOf(at: Fd): Extract<OpenFile, { kind: 'pipe' }>['pipe'] {
    const file = this.file(at, 'write')
    if (file.kind !== 'pipe') throw kernelError('EBADF', 'write')
    return file.pipe
  }
}

const name = (address: ListenerAddress): string =>
  address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path
