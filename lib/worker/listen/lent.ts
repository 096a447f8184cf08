/** Listeners of other slots that this worker accepts on for a while (`reusePort`). */
import type { Server } from 'node:net'
import { formatAddress } from '../../config/address.ts'
import type { Kernel, ListenerAddress } from '../../kernel/kernel.ts'
import type { Fd } from '../../units.ts'
import { type Handle, type JoinedHandle, openHandle } from './handle.ts'
import type { Listened } from './listen.ts'

type Loan = { readonly server: JoinedHandle; readonly handle: Handle }

export class Lent {
  readonly #kernel: Pick<Kernel, 'close'>
  readonly #listened: ReadonlyMap<Server, Listened>
  readonly #loans = new Map<number, readonly Loan[]>()

  constructor(kernel: Pick<Kernel, 'close'>, listened: ReadonlyMap<Server, Listened>) {
    this.#kernel = kernel
    this.#listened = listened
  }

  /** What such a listener accepts goes to the server of the same address; one that nobody here serves is closed. */
  take(slot: number, addresses: readonly ListenerAddress[], fds: readonly Fd[]): void {
    const loans = fds.flatMap((fd, index) => {
      const address = addresses[index]
      const server = address && this.#serverOf(address)
      if (server) {
        const handle = openHandle(fd)
        server.add(handle)
        return [{ server, handle }]
      }
      this.#kernel.close(fd)
      return []
    })
    this.#loans.set(slot, loans)
  }

  giveBack(slot: number): void {
    for (const { server, handle } of this.#loans.get(slot) ?? []) server.remove(handle)
    this.#loans.delete(slot)
  }

  /** All of them. */
  giveAllBack(): void {
    for (const slot of [...this.#loans.keys()]) this.giveBack(slot)
  }

  #serverOf(address: ListenerAddress): JoinedHandle | null {
    const wanted = formatAddress(address)
    for (const [server, { shared, addresses }] of this.#listened) {
      const { _handle: handle } = server as unknown as { readonly _handle: Partial<JoinedHandle> | null }
      const isIt = shared && addresses.some((one) => formatAddress(one) === wanted)
      if (isIt && handle?.add !== undefined) return handle as JoinedHandle
    }
    return null
  }
}
