/**
 * Responses to requests that were read in one turn of the event loop leave together at its end: their bytes are held back,
 * and everything else of them is done meanwhile, as if the kernel had the bytes. A write to a client or
 * proxy on the same machine that has nothing else to do wakes it up, which costs more than the rest of the request
 * (5 to 11 µs of 15 to 32); of writes in a row the first does, and the others find it awake.
 *
 * No response may wait long for the work of others, and none may be lost. So it is held back
 * - only if requests come in company, of several clients in the turn before as well, and that is not long ago: a client
 *   alone is answered at once, however many reads its request takes;
 * - only what is short;
 * - for no longer than `LONGEST` and the handler that runs then; after one that took longer than `SLOW`, none is held
 *   for `PAUSE` times as long;
 * - never beyond the end of its socket or of the process.
 */
import net from 'node:net'
import type { Connection } from './connection.ts'
import type { ServerSocket, WriteChunks } from './node.ts'

/** What is to be written, as a Writable's `_write` is called with it, or its `_writev` (without an encoding). */
export type Bytes = { readonly chunk: Buffer | string | WriteChunks; readonly encoding: BufferEncoding | null }

export type Write = Bytes & { readonly written: (error?: Error | null) => void }

const { _write: nodeWrite, _writev: nodeWritev } = net.Socket.prototype as unknown as ServerSocket

/** Milliseconds. */
const LONGEST = 1
const SLOW = 5
const PAUSE = 20

/** Longer ones are written at once (bytes): what they cost is their bytes. */
const LARGEST = 131072

/** Something was read in this turn, whose end is awaited. */
let reading = false
/** Whose request came first in this turn, whole, and whether another's did. */
let first: Connection | null = null
let several = false
/** The turn before had several, and ended then. */
let company = false
let companyAt = 0
/** Connections with a held write, and when the first of them got it. */
let holding: Connection[] = []
let since = 0
/** Nothing is held before this time; 0: no such time. */
let pausedUntil = 0
let hearsExit = false
/** Whose requests of one read are being answered. */
let batching: Connection | null = null

/** Bytes have come, with no other's work on the stack. */
export function turnGoesOn(): void {
  if (!reading) {
    reading = true
    setImmediate(endTurn)
    if (company && performance.now() - companyAt > LONGEST) company = false
  } else if (holding.length > 0 && performance.now() - since > LONGEST) {
    writeHeld()
  }
}

/** A whole request has come. */
export function requestCame(connection: Connection): void {
  if (!reading || !connection.direct) return
  if (first === null) first = connection
  else if (first !== connection) several = true
}

function endTurn(): void {
  company = several
  reading = false
  first = null
  several = false
  writeHeld()
  if (company) companyAt = performance.now()
}

function mayHold({ service }: Connection): boolean {
  if (!company || !reading || !service.together) return false
  if (pausedUntil === 0) return true
  if (performance.now() < pausedUntil) return false
  pausedUntil = 0
  return true
}

/** Writes so many bytes, or holds them back until the end of the turn. */
export function write(connection: Connection, bytes: Write, size: number): void {
  if (!connection.direct || !hold(connection, bytes, size)) writeNow(connection, bytes)
  else bytes.written()
}

function hold(connection: Connection, { chunk, encoding }: Bytes, size: number): boolean {
  if (size >= LARGEST || connection.held !== null || connection.flushing || !mayHold(connection)) return false
  if (holding.length === 0) since = performance.now()
  hearExit()
  connection.held = { chunk, encoding }
  holding.push(connection)
  return true
}

/** The first write of this connection waits for the others, until `writeBatch`. */
export function beginBatch(connection: Connection): void {
  hearExit()
  connection.batch = { first: null }
  batching = connection
}

export function writeBatch(connection: Connection): void {
  const { first } = connection.batch!
  connection.batch = null
  batching = null
  if (first !== null) writeNow(connection, first)
}

function hearExit(): void {
  if (hearsExit) return
  hearsExit = true
  process.on('exit', () => {
    // No turn ends any more.
    reading = false
    writeHeld()
    if (batching !== null) writeAllNow(batching)
  })
}

/** Writes all that was held back. */
function writeHeld(): void {
  if (holding.length === 0) return
  const connections = holding
  holding = []
  const now = performance.now()
  if (now - since > SLOW) pausedUntil = now + PAUSE * (now - since)
  for (const connection of connections) flush(connection)
}

/** Hands what is held to the kernel. What it has no room for libuv keeps, and nothing is written behind it meanwhile. */
export function flush(connection: Connection): void {
  const { socket, held } = connection
  if (held === null) return
  connection.held = null
  connection.flushing = true
  toKernel(socket, held, (error) => {
    const { behind } = connection
    connection.flushing = false
    connection.behind = null
    if (error) {
      behind?.written(error)
      socket.destroy(error)
    } else if (behind !== null) {
      toKernel(socket, behind, behind.written)
    }
  })
}

/** Writes all that waits on this connection. */
export function writeAllNow(connection: Connection): void {
  const { socket, batch } = connection
  connection.batch = null
  if (batching === connection) batching = null
  if (batch?.first) writeNow(connection, batch.first)
  while (socket.writableCorked > 0) socket.uncork()
  flush(connection)
}

/** Behind what is held. */
function writeNow(connection: Connection, bytes: Write): void {
  flush(connection)
  if (connection.flushing) connection.behind = bytes
  else toKernel(connection.socket, bytes, bytes.written)
}

/** What the stream has gathered behind it follows in one vector. */
function toKernel(socket: ServerSocket, { chunk, encoding }: Bytes, written: Write['written']): void {
  if (encoding === null) nodeWritev.call(socket, chunk as WriteChunks, written)
  else nodeWrite.call(socket, chunk, encoding, written)
}
