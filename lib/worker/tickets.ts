/** The key of TLS session tickets that all workers share, given to every TLS server of the app that has none of its own. */
import type { Server } from 'node:net'
import tls from 'node:tls'

/** Servers whose app has called `setTicketKeys`. */
const decided = new WeakSet<tls.Server>()

const original = tls.Server.prototype.setTicketKeys
let watching = false

/** Before the app: from now on what it decides about ticket keys is known. */
export function noteTicketKeys(): void {
  if (watching) return
  watching = true
  tls.Server.prototype.setTicketKeys = function (this: tls.Server, keys: Buffer) {
    const result = Reflect.apply(original, this, [keys])
    decided.add(this)
    return result
  }
}

/** `ticketKeys`: where Node keeps the option, and whence a server takes it when its certificates are renewed. */
type Insides = { ticketKeys?: Buffer }

/** Servers that have the shared key from us. */
const given = new WeakSet<tls.Server>()

/** Gives a server the key, where it is a TLS server whose app has not said which it wants. */
export function shareTickets(server: Server, key: Buffer): void {
  if (!(server instanceof tls.Server) || decided.has(server)) return
  const insides = server as unknown as Insides
  if (insides.ticketKeys !== undefined && !given.has(server)) return
  given.add(server)
  insides.ticketKeys = key
  Reflect.apply(original, server, [key])
}
