/**
 * One end of the channel between the arbiter and a worker: a SOCK_SEQPACKET socket, one message a datagram, its
 * descriptors beside it (unix(7), SCM_RIGHTS). Order is kept; nothing blocks, but for `wait`.
 */
import type { Datagram, Kernel, Watch } from '../kernel/kernel.ts'
import { type Fd, fd, type Ms, ms, type Pid } from '../units.ts'
import { decode, encode, type Shapes } from './decode.ts'

/** Datagrams heard in one turn of the loop: one talkative peer must not starve the others. */
const HEARD_A_TURN = 64
/** Messages kept for a peer that does not read; with more, `send` refuses. A mold that loads may be asked for 512 workers. */
const QUEUED = 1024

/** One call of poll(2). */
const LONG = ms(60_000)

type Message = { readonly kind: string }
type Parcel<Incoming> = { readonly message: Incoming; readonly fds: readonly Fd[] }
type Door = Pick<
  Kernel,
  'send' | 'receive' | 'receiveNow' | 'watch' | 'dup' | 'close' | 'now' | 'setWill' | 'revokeWills'
>

/** What the owner of a channel wants to know. */
export type Listener<Incoming> = {
  /** The descriptors are the listener's to close. */
  message(message: Incoming, fds: readonly Fd[]): void
  /** The peer is gone; the last call. */
  ended(): void
  /** A datagram that is no message was dropped, its descriptors closed. `why` is one line. */
  garbled(why: string): void
}

/** A channel that outlives its process's image (execve): its descriptor, and what the peer has not read yet. */
export type PackedChannel = {
  readonly fd: number
  /** `data` in base64. */
  readonly queue: readonly { readonly data: string; readonly fds: readonly number[] }[]
}

export class Channel<Incoming extends Message, Outgoing extends Message> {
  readonly #kernel: Door
  readonly #fd: Fd
  readonly #shapes: Shapes<Incoming>
  #listener: Listener<Incoming> | null = null
  #reading: Watch | null = null
  #writing: { readonly fd: Fd; readonly watch: Watch } | null = null
  #queue: { readonly data: Uint8Array; readonly fds: readonly Fd[] }[] = []
  /** Heard while `wait` looked for another message. */
  #heard: Parcel<Incoming>[] = []
  #referenced = true
  #closed = false

  /** Goes on with a channel of the image before this one. */
  static unpack<Incoming extends Message, Outgoing extends Message>(
    kernel: Door,
    { fd: packed, queue }: PackedChannel,
    shapes: Shapes<Incoming>,
  ): Channel<Incoming, Outgoing> {
    const channel = new Channel<Incoming, Outgoing>(kernel, fd(packed), shapes)
    channel.#queue = queue.map(({ data, fds }) => ({ data: Buffer.from(data, 'base64'), fds: fds.map(fd) }))
    if (queue.length > 0) channel.#writeLater()
    return channel
  }

  /** For an image that is to follow; nothing is changed here. */
  pack(): PackedChannel {
    const queue = this.#queue.map(({ data, fds }) => ({ data: Buffer.from(data).toString('base64'), fds }))
    return { fd: this.#fd, queue }
  }

  /** Takes the descriptor over: `close` closes it. `shapes` says what the peer may say. */
  constructor(kernel: Door, fd: Fd, shapes: Shapes<Incoming>) {
    this.#kernel = kernel
    this.#fd = fd
    this.#shapes = shapes
  }

  /** Starts to hear. Messages that were heard meanwhile come in the next turn of the loop. */
  open(listener: Listener<Incoming>): void {
    this.#listener = listener
    this.#reading = this.#kernel.watch(this.#fd, 'readable', () => this.hear())
    if (!this.#referenced) this.#reading.unref()
    this.#deliverLater()
  }

  /** Lets the process end although the channel is open. */
  unref(): void {
    this.#referenced = false
    this.#reading?.unref()
    this.#writing?.watch.unref()
  }

  /**
   * Says it, at once or as soon as the peer has read what is before it. The caller keeps its descriptors and may close
   * them when this returns. False: the peer is gone, or has not read the last 1024 messages.
   */
  send(message: Outgoing, fds: readonly Fd[] = []): boolean {
    if (this.#closed) return false
    const data = encode(message)
    if (this.#queue.length > 0) return this.#enqueue(data, fds)
    const sent = this.#trySend(data, fds)
    return sent === 'full' ? this.#enqueue(data, fds) : sent === 'sent'
  }

  /**
   * Says it when that process is dying, unless it is revoked (`Kernel.setWill`). The caller keeps its descriptors open
   * until then. Nothing is said where the peer has not read yet what is before it.
   */
  bequeath(of: Pid, message: Outgoing, fds: readonly Fd[]): void {
    if (!this.#closed && this.#queue.length === 0) this.#kernel.setWill(of, this.#fd, encode(message), fds)
  }

  /** Nothing that was bequeathed is said any more. At whose death something was; null: at nobody's. */
  revoke(): Pid | null {
    return this.#closed ? null : this.#kernel.revokeWills(this.#fd)
  }

  /**
   * Blocks the loop until a message comes that `wanted` accepts; the others are delivered later, in their order. Null
   * when none came within `timeout`, `'end'` when the peer is gone.
   */
  wait<Wanted extends Incoming>(
    wanted: (message: Incoming) => message is Wanted,
    timeout: Ms,
  ): Parcel<Wanted> | null | 'end' {
    const deadline = this.#kernel.now() + timeout
    for (;;) {
      const left = deadline - this.#kernel.now()
      if (left <= 0 || this.#closed) return this.#closed ? 'end' : null
      const parcel = this.#open(this.#kernel.receiveNow(this.#fd, ms(Math.ceil(left))))
      if (parcel === 'end') return 'end'
      if (parcel === null) continue
      if (wanted(parcel.message)) return parcel as Parcel<Wanted>
      this.#heard.push(parcel)
      this.#deliverLater()
    }
  }

  /** As `wait`, however long it takes: the peer may be stopped. `'end'` when it is gone. */
  waitFor<Wanted extends Incoming>(wanted: (message: Incoming) => message is Wanted): Parcel<Wanted> | 'end' {
    for (;;) {
      const parcel = this.wait(wanted, LONG)
      if (parcel !== null) return parcel
    }
  }

  /** Closes the descriptor and forgets what was not sent. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#reading?.close()
    this.#stopWriting()
    for (const { fds } of this.#heard) this.#closeAll(fds)
    for (const { fds } of this.#queue) this.#closeAll(fds)
    this.#heard = []
    this.#queue = []
    this.#kernel.close(this.#fd)
  }

  /** Hears what is there now, without waiting for the event loop: what a peer said last, before its exit is dealt with. */
  hear(): void {
    this.#deliver()
    for (let n = 0; n < HEARD_A_TURN && !this.#closed; n++) {
      const datagram = this.#kernel.receive(this.#fd)
      if (datagram === null) return
      const parcel = this.#open(datagram)
      if (parcel === 'end') this.#end()
      else if (parcel !== null) this.#listener?.message(parcel.message, parcel.fds)
    }
  }

  #open(datagram: Datagram | null | 'end'): Parcel<Incoming> | null | 'end' {
    if (datagram === null || datagram === 'end') return datagram
    const message = decode(datagram.data, this.#shapes)
    if (typeof message !== 'string') return { message, fds: datagram.fds }
    this.#closeAll(datagram.fds)
    this.#listener?.garbled(message)
    return null
  }

  #deliverLater(): void {
    if (this.#listener !== null && this.#heard.length > 0) setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    for (let parcel = this.#heard.shift(); parcel !== undefined; parcel = this.#heard.shift())
      this.#listener?.message(parcel.message, parcel.fds)
  }

  #end(): void {
    this.close()
    this.#listener?.ended()
  }

  #trySend(data: Uint8Array, fds: readonly Fd[]): 'sent' | 'full' | 'gone' {
    try {
      return this.#kernel.send(this.#fd, data, fds) ? 'sent' : 'full'
    } catch (error) {
      // The reading side will hear the end; one place tells the listener.
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE' || code === 'ECONNRESET') return 'gone'
      throw error
    }
  }

  #enqueue(data: Uint8Array, fds: readonly Fd[]): boolean {
    if (this.#queue.length >= QUEUED) return false
    this.#queue.push({ data, fds: fds.map((fd) => this.#kernel.dup(fd)) })
    this.#writeLater()
    return true
  }

  #writeLater(): void {
    if (this.#writing !== null) return
    // A descriptor of its own: libuv refuses a second watch on the same one.
    const fd = this.#kernel.dup(this.#fd)
    const watch = this.#kernel.watch(fd, 'writable', () => this.#flush())
    if (!this.#referenced) watch.unref()
    this.#writing = { fd, watch }
  }

  #flush(): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (this.#trySend(head.data, head.fds) === 'full') return
      this.#closeAll(head.fds)
      this.#queue.shift()
    }
    this.#stopWriting()
  }

  #stopWriting(): void {
    this.#writing?.watch.close()
    if (this.#writing !== null) this.#kernel.close(this.#writing.fd)
    this.#writing = null
  }

  #closeAll(fds: readonly Fd[]): void {
    for (const fd of fds) this.#kernel.close(fd)
  }
}
