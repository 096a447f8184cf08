/**
 * One write a response. Node hands a corked socket's chunks to writev(2), string by string; a short response is head,
 * body and an empty end, and costs less as one string or one buffer. Long chunks go out as they are, uncopied.
 */
import { CONNECTION, type ServerSocket, type WriteChunks } from './node.ts'
import { type Bytes, write } from './together.ts'

type Written = (error?: Error | null) => void

/** Up to here copying costs less than another entry of the vector. */
const COPIED = 16384

/** A net.Socket's `_writev`. */
export function writeTogether(this: ServerSocket, chunks: WriteChunks, written: Written): void {
  const [first, second] = chunks as [WriteChunks[number], WriteChunks[number]]
  if (chunks.length === 2 && second.chunk.length === 0) {
    // By far the most: a response that was ended with its text.
    this._write(first.chunk, first.encoding as BufferEncoding, written)
    return
  }
  if (chunks.allBuffers) {
    writeVector(this, chunks, sizeOf(chunks), written)
    return
  }
  const full = chunks.filter(isFull) as WriteChunks
  const encoding = encodingOf(full)
  if (encoding !== null) {
    this._write(joined(full), encoding as BufferEncoding, written)
    return
  }
  const size = sizeOf(full)
  if (size > COPIED) writeVector(this, asBuffers(full), size, written)
  else this._write(copied(full, size), 'buffer' as BufferEncoding, written)
}

function writeVector(socket: ServerSocket, chunks: WriteChunks, size: number, written: Written): void {
  write(socket[CONNECTION]!, { chunk: chunks, encoding: null, written }, size)
}

const isFull = ({ chunk }: WriteChunks[number]) => chunk.length > 0

/** The encoding that all chunks are one write in, if there is one. */
function encodingOf(chunks: WriteChunks): BufferEncoding | 'buffer' | null {
  const encoding = chunks[0]?.encoding ?? 'latin1'
  if (chunks.length < 2) return encoding
  if (encoding !== 'latin1' && encoding !== 'utf8') return null
  return chunks.every((entry) => entry.encoding === encoding && !endsInPair(entry.chunk)) ? encoding : null
}

/** Half of a surrogate pair is a character of its own in each write, and would be the whole one's in both together. */
function endsInPair(chunk: string | Buffer): boolean {
  return typeof chunk === 'string' && (chunk.charCodeAt(chunk.length - 1) & 0xfc00) === 0xd800
}

function joined(chunks: WriteChunks): string | Buffer {
  if (chunks.length === 1) return chunks[0]!.chunk
  let text = ''
  for (const { chunk } of chunks) text += chunk
  return text
}

function sizeOf(chunks: WriteChunks): number {
  let size = 0
  for (const entry of chunks) size += lengthOf(entry)
  return size
}

/** What they will add to the bytes written. */
export function bytesOf(bytes: Bytes | null | undefined): number {
  if (!bytes) return 0
  const { chunk, encoding } = bytes
  return encoding === null ? sizeOf(chunk as WriteChunks) : lengthOf({ chunk: chunk as string | Buffer, encoding })
}

/** In bytes. */
function lengthOf({ chunk, encoding }: WriteChunks[number]): number {
  if (typeof chunk !== 'string' || encoding === 'latin1') return chunk.length
  return Buffer.byteLength(chunk, encoding as BufferEncoding)
}

/** For strings in a vector Node allocates memory outside of its pool. */
function asBuffers(chunks: WriteChunks): WriteChunks {
  for (const entry of chunks) {
    if (typeof entry.chunk === 'string') entry.chunk = copied([entry], lengthOf(entry))
  }
  chunks.allBuffers = true
  return chunks
}

function copied(chunks: WriteChunks, size: number): Buffer {
  const buffer = Buffer.allocUnsafe(size)
  let at = 0
  for (const { chunk, encoding } of chunks) {
    at += typeof chunk === 'string' ? buffer.write(chunk, at, encoding as BufferEncoding) : chunk.copy(buffer, at)
  }
  return buffer
}
