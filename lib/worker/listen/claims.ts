/**
 * What this worker has asked the arbiter for, and gives back when the app closes it: an app that looks for a free port
 * opens one and closes it again. Whether that closes it, the arbiter decides.
 */
import { formatAddress } from '../../config/address.ts'
import type { ListenerAddress } from '../../kernel/kernel.ts'
import type { Handle } from './handle.ts'

export class Claims {
  readonly #giveBack: (address: ListenerAddress) => void
  /** How many handles are open, by the address. */
  readonly #open = new Map<string, number>()

  /** `giveBack`: called when the last handle of an address is closed. */
  constructor(giveBack: (address: ListenerAddress) => void) {
    this.#giveBack = giveBack
  }

  /** A handle of what the arbiter has opened at this address; the same one. */
  claim(handle: Handle, address: ListenerAddress): Handle {
    const name = formatAddress(address)
    const { close } = handle
    this.#open.set(name, (this.#open.get(name) ?? 0) + 1)
    handle.close = (done) => {
      handle.close = close
      Reflect.apply(close, handle, [done])
      this.#closed(name, address)
    }
    return handle
  }

  /** What is open now is not given back: it is for those who come after this worker. */
  keep(): void {
    this.#open.clear()
  }

  #closed(name: string, address: ListenerAddress): void {
    const open = this.#open.get(name)
    if (open === undefined) return
    if (open > 1) this.#open.set(name, open - 1)
    else {
      this.#open.delete(name)
      this.#giveBack(address)
    }
  }
}
