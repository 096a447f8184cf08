/**
 * The listening sockets. Each is opened once and kept for the arbiter's whole life; a worker's death or replacement never
 * closes one; only what the app itself closes before it serves there is closed (port probes). All workers share the one of
 * an address, or with `reusePort` each slot has one of its own: what the kernel has queued in that is nobody else's, so it
 * is kept, and lent to another slot, when its slot goes away (`lend.ts`).
 */
import { rmSync, statSync } from 'node:fs'
import { formatAddress } from '../../config/address.ts'
import { kernelError } from '../../kernel/errors.ts'
import type { Kernel, KernelError, ListenerAddress, ListenOptions, Rights } from '../../kernel/kernel.ts'
import { firstUnprivilegedPort } from '../../system/ports.ts'
import { type Fd, fd, type Pid } from '../../units.ts'
import type { HandedListener, Handover } from '../succession/handover.ts'

export type Listener = {
  readonly fd: Fd
  /** Where it is bound: with the port that the kernel chose where 0 was asked for. */
  readonly address: ListenerAddress
}

type Held = Listener & {
  /** The file of a UNIX socket, where that is ours to remove. */
  inode: bigint | null
  /** With `reusePort`, by slot; the first is `fd`. */
  readonly dealt: Fd[] | null
  readonly options: ListenOptions
  /** Whose rights its file was made with, where those were not ours. */
  readonly rights: Rights | null
  /** The workers that have asked for it and may give it back: then it goes. Null: it stays. */
  claims: Set<Pid> | null
}

export class Listeners {
  readonly #kernel: Kernel
  /** By the address that was asked for, as text: the same question gets the same socket. */
  readonly #held = new Map<string, Held>()
  /** Sockets that the service manager has opened for us. */
  #activated: readonly Fd[] = []
  /** Inherited ones whose files still belong to the arbiter before this one. */
  readonly #unowned: Held[] = []
  #isClosed = false

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /**
   * Opens an address, or shares it where it is open; what is not open yet, with those rights where they are given. Throws the
   * kernel's error, whose message names the address.
   */
  open(address: ListenerAddress, options: ListenOptions, rights: Rights | null = null): Listener {
    const name = formatAddress(address)
    const held = this.#held.get(name)
    if (held) return held
    const reusePort = options.reusePort === true && address.kind === 'tcp'
    if (rights !== null && isPrivileged(address, rights)) throw refusedPort(rights)
    if (reusePort) this.#refuseTaken(address)
    return this.#as(rights, () =>
      this.#hold(name, this.#listen(address, options), true, { ...options, reusePort }, rights),
    )
  }

  /** As `open`, for this worker, which may give it back. */
  claim(address: ListenerAddress, options: ListenOptions, rights: Rights | null, by: Pid): Listener {
    const isNew = !this.has(address)
    const listener = this.open(address, options, rights)
    const held = this.#held.get(formatAddress(listener.address))!
    if (isNew) held.claims = new Set()
    held.claims?.add(by)
    return listener
  }

  /** The worker has closed it, at this address. True: so have all who had it, and it is open no more. */
  release(address: ListenerAddress, by: Pid): boolean {
    const held = this.#held.get(formatAddress(address))
    if (this.#isClosed || !held?.claims?.delete(by) || held.claims.size > 0) return false
    this.#closeOne(held)
    this.#unlinkOne(held)
    for (const [name, one] of this.#held) if (one === held) this.#held.delete(name)
    return true
  }

  /** What this worker has claimed stays. */
  keep(by: Pid): void {
    for (const held of this.#each()) if (held.claims?.has(by)) held.claims = null
  }

  /** The worker is gone before it was ready: nothing is closed, but others may give it back. */
  forget(by: Pid): void {
    for (const { claims } of this.#each()) claims?.delete(by)
  }

  /** The open one of that name. */
  at(name: string): Listener {
    const held = this.#held.get(name)
    if (held === undefined) throw new Error(`nothing listens on ${name}`)
    return held
  }

  /** The socket of this slot; for all slots the same one without `reusePort`. Throws the kernel's error. */
  forSlot(listener: Listener, slot: number): Listener {
    const { address, dealt, options } = this.#held.get(formatAddress(listener.address))!
    if (dealt === null) return listener
    while (dealt.length <= slot) dealt.push(this.#kernel.listen(address, options))
    return { address, fd: dealt[slot]! }
  }

  /** Those that are one slot's own. */
  ofSlot(slot: number): readonly Listener[] {
    return this.all().flatMap(({ address, dealt }) => {
      const fd = dealt?.[slot]
      return fd === undefined ? [] : [{ address, fd }]
    })
  }

  /** How many slots have sockets of their own. */
  get slots(): number {
    return Math.max(0, ...this.all().map(({ dealt }) => dealt?.length ?? 0))
  }

  /** Those that all workers share and that stay, but for these, by the names that they are asked for by. */
  shared(but: readonly Listener[]): readonly (Listener & { readonly name: string })[] {
    const stays = ({ dealt, claims }: Held): boolean => dealt === null && claims === null
    const left = [...this.#held].filter(([, held]) => stays(held) && but.every((one) => one.fd !== held.fd))
    return left.map(([name, { fd, address }]) => ({ name, fd, address }))
  }

  has(address: ListenerAddress): boolean {
    return this.#held.has(formatAddress(address))
  }

  /** Takes over a listening socket that was inherited; its file stays. Throws when the descriptor is none. */
  adopt(fd: Fd): Listener {
    const held = this.all().find((listener) => listener.fd === fd)
    if (held) return held
    const address = this.#kernel.listenerAddress(fd)
    this.#kernel.setCloseOnExec(fd, true)
    return this.#hold(formatAddress(address), fd, false, { backlog: 0 })
  }

  /** Sockets that the service manager has passed, each a listening one: from now on ours. */
  activate(fds: readonly Fd[]): readonly Listener[] {
    this.#activated = fds
    return fds.map((fd) => this.adopt(fd))
  }

  /** For the arbiter that is to follow this one. */
  handed(): { readonly listeners: readonly HandedListener[]; readonly activated: readonly Fd[] } {
    const names = (held: Held): string[] => [...this.#held].flatMap(([name, one]) => (one === held ? [name] : []))
    const listeners = this.all().map((held) => {
      const { address, fd, inode, options, dealt, rights } = held
      return { names: names(held), address, fd, ours: inode !== null, options, dealt, rights }
    })
    return { listeners, activated: this.#activated }
  }

  /** Takes what the arbiter before this one handed over; the files of UNIX sockets are its own until `own`. */
  inherit({ listeners, activated }: Pick<Handover, 'listeners' | 'activated'>): void {
    this.#activated = activated.map((number) => fd(number))
    for (const { names, address, fd: number, ours, options, dealt, rights = null } of listeners) {
      const slots = dealt?.map((one) => fd(one)) ?? null
      const held = { fd: fd(number), address, inode: null, options, dealt: slots, rights, claims: null }
      for (const name of names) this.#held.set(name, held)
      if (ours) this.#unowned.push(held)
    }
  }

  get activated(): readonly Fd[] {
    return this.#activated
  }

  /** The one before this one is gone: the files are ours to remove. */
  own(): void {
    for (const held of this.#unowned.splice(0))
      if (held.address.kind === 'unix') held.inode = inodeOf(held.address.path)
  }

  /** Another arbiter serves on these sockets: their files are not ours to remove any more. */
  disown(): void {
    for (const held of this.#each()) held.inode = null
  }

  all(): readonly Held[] {
    return [...this.#each()]
  }

  /** Closes our copies; what is queued in them is the workers' to accept. The socket files stay until `unlink`. */
  close(): void {
    this.#isClosed = true
    for (const held of this.#each()) this.#closeOne(held)
  }

  /** Removes the socket files, but none that has become somebody else's. */
  unlink(): void {
    for (const held of this.#each()) this.#unlinkOne(held)
  }

  #closeOne({ fd, dealt }: Held): void {
    for (const each of dealt ?? [fd]) this.#kernel.close(each)
  }

  #unlinkOne({ address, inode, rights }: Held): void {
    if (address.kind !== 'unix' || inode === null) return
    this.#as(rights, () => {
      if (inodeOf(address.path) === inode) rmSync(address.path, { force: true })
    })
  }

  /** Where an app's user may choose a path, a link in it must not lead where that user may not go. */
  #as<Result>(rights: Rights | null, action: () => Result): Result {
    return rights === null ? action() : this.#kernel.withFileRights(rights, action)
  }

  /** One that was opened under two names (port 0, `::` without IPv6) counts once. */
  #each(): ReadonlySet<Held> {
    return new Set(this.#held.values())
  }

  /** `ours`: the file of a UNIX socket is ours to remove. */
  #hold(name: string, fd: Fd, ours: boolean, options: ListenOptions, rights: Rights | null = null): Held {
    const address = this.#kernel.listenerAddress(fd)
    const inode = ours && address.kind === 'unix' ? inodeOf(address.path) : null
    const held = { fd, address, inode, options, dealt: options.reusePort ? [fd] : null, rights, claims: null }
    this.#held.set(name, held)
    this.#held.set(formatAddress(address), held)
    return held
  }

  /** SO_REUSEPORT would share the port with another service of the same user, without a word. */
  #refuseTaken(address: ListenerAddress): void {
    if (address.kind === 'tcp' && address.port !== 0) this.#kernel.close(this.#listen(address, { backlog: 1 }))
  }

  /** An app that names no host means every address: `::`, or `0.0.0.0` on a machine without IPv6, as in Node. */
  #listen(address: ListenerAddress, options: ListenOptions): Fd {
    try {
      return this.#kernel.listen(address, options)
    } catch (error) {
      if (address.kind !== 'tcp' || address.host !== '::' || !withoutIpv6(error as KernelError)) throw error
      return this.#kernel.listen({ ...address, host: '0.0.0.0' }, options)
    }
  }
}

const withoutIpv6 = ({ code }: KernelError): boolean =>
  code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL' || code === 'EINVAL'

const refusedPort = ({ uid }: Rights): KernelError =>
  Object.assign(kernelError('EACCES', 'bind'), {
    message: `EACCES: uid ${uid}, which the app runs as, may not bind a port below ${firstUnprivilegedPort()}; name it in bind`,
  })

/** A port that only root may bind, and that a process of this user could not (ip(7), ip_unprivileged_port_start). */
const isPrivileged = (address: ListenerAddress, { uid }: Rights): boolean =>
  address.kind === 'tcp' && address.port !== 0 && uid !== 0 && address.port < firstUnprivilegedPort()

function inodeOf(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null
}
