/**
 * What is said to a mold that is forking (`MoldKernel.serveForks`). A request is a number and then the order, which goes
 * to the child as it is, with the descriptors beside it. The answer comes when the child has been adopted.
 */
import { type Pid, pid } from '../units.ts'

export type ForkAnswer =
  | { readonly kind: 'forked'; readonly request: number; readonly pid: Pid }
  /** `code` is the errno's name: EAGAIN, ENOMEM; EMFILE where the descriptors found no room in the mold. */
  | { readonly kind: 'failed'; readonly request: number; readonly code: string }

const HEAD = 4

/** A request's datagram. `request` is a whole number below 2^32. */
export function encodeForkRequest(request: number, order: Uint8Array): Buffer {
  const datagram = Buffer.alloc(HEAD + order.byteLength)
  datagram.writeUInt32LE(request)
  datagram.set(order, HEAD)
  return datagram
}

/** An answer's datagram; null where it is none. */
export function decodeForkAnswer(datagram: Uint8Array): ForkAnswer | null {
  let said: unknown
  try {
    said = JSON.parse(Buffer.from(datagram).toString('utf8'))
  } catch {
    return null
  }
  if (typeof said !== 'object' || said === null) return null
  const { request, pid: child, code } = said as { request?: unknown; pid?: unknown; code?: unknown }
  if (!isCount(request)) return null
  if (isCount(child) && child > 1) return { kind: 'forked', request, pid: pid(child) }
  return typeof code === 'string' ? { kind: 'failed', request, code } : null
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
