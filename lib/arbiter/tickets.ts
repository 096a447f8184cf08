/**
 * The key of TLS session tickets (RFC 5077, RFC 8446 section 4.6.1). Each Node process makes one of its own, so that only the
 * worker that began a session could resume it; here all workers have the arbiter's, over reloads too. It is never written
 * down, and is changed now and then: who steals it later cannot read what was said before. A ward without a process.
 */
import { randomBytes } from 'node:crypto'
import { type Ms, ms } from '../units.ts'
import { type Ward, WithoutProcess } from './ward.ts'

/** Bytes of a key, as Node takes it: name, HMAC and AES. */
const LENGTH = 48
/**
 * Far above the lifetime of a session (Node's `sessionTimeout`, 300 s). Node holds one key at a time, so each change costs
 * the clients of that moment one full handshake.
 */
const ROTATION = ms(12 * 3_600_000)

/** For another image of this process. */
export type PackedTickets = { readonly key: string; readonly changesAt: number }

export type TicketParts = {
  now(): Ms
  /** To every worker that is there. */
  tell(key: string): void
}

export class Tickets extends WithoutProcess implements Ward {
  readonly #parts: TicketParts
  #key: string
  #changesAt: Ms

  constructor(parts: TicketParts, packed: PackedTickets | null) {
    super()
    this.#parts = parts
    this.#key = packed?.key ?? newKey()
    this.#changesAt = packed === null ? ms(parts.now() + ROTATION) : ms(packed.changesAt)
  }

  /** In base64. */
  get key(): string {
    return this.#key
  }

  pack(): PackedTickets {
    return { key: this.#key, changesAt: this.#changesAt }
  }

  judge(now: Ms): void {
    if (now < this.#changesAt) return
    this.#key = newKey()
    this.#changesAt = ms(now + ROTATION)
    this.#parts.tell(this.#key)
  }

  deadline(): Ms {
    return this.#changesAt
  }

  stop(): void {}
}

const newKey = (): string => randomBytes(LENGTH).toString('base64')
