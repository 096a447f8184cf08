/** What descriptors of the fake kernel stand for. An open file is shared by all descriptors that `dup` or a child made. */
import type { ListenerAddress } from '../../lib/kernel/kernel.ts'

/** Datagrams that a channel holds before `send` says false: enough for every test but the one that fills it. */
export const MOST_QUEUED = 64

export type Packet = { readonly data: Buffer; readonly files: readonly OpenFile[] }

export type OpenFile = { references: number } & (
  | { readonly kind: 'channel'; readonly inbox: Packet[]; peer: ChannelFile | null }
  | { readonly kind: 'pipe'; readonly end: 'read' | 'write'; readonly pipe: Pipe }
  | { readonly kind: 'append'; readonly path: string }
  | { readonly kind: 'listener'; readonly address: ListenerAddress; readonly waiting: OpenFile[] }
  | { readonly kind: 'memory'; readonly buffer: ArrayBuffer }
  | { readonly kind: 'alarm'; rung: number }
  | { readonly kind: 'other' }
)
export type ChannelFile = Extract<OpenFile, { kind: 'channel' }>

type Pipe = { bytes: number; readers: number; writers: number }

export const plainFile = (): OpenFile => ({ kind: 'other', references: 0 })

/** Both ends of a channel. */
export function channelFiles(): [ChannelFile, ChannelFile] {
  const first: ChannelFile = { kind: 'channel', references: 0, inbox: [], peer: null }
  const second: ChannelFile = { kind: 'channel', references: 0, inbox: [], peer: first }
  first.peer = second
  return [first, second]
}

/** Reading and writing end of a pipe. */
export function pipeFiles(): [OpenFile, OpenFile] {
  const pipe: Pipe = { bytes: 0, readers: 1, writers: 1 }
  return [
    { kind: 'pipe', end: 'read', pipe, references: 0 },
    { kind: 'pipe', end: 'write', pipe, references: 0 },
  ]
}

export function retain(file: OpenFile): OpenFile {
  file.references++
  return file
}

/** One descriptor less; with the last one the other end learns that nobody is there. */
export function release(file: OpenFile): void {
  if (--file.references > 0) return
  if (file.kind === 'pipe') file.pipe[file.end === 'read' ? 'readers' : 'writers']--
  if (file.kind === 'channel' && file.peer !== null) {
    file.peer.peer = null
    file.peer = null
  }
  if (file.kind === 'channel') for (const packet of file.inbox.splice(0)) packet.files.forEach(release)
  if (file.kind === 'listener') file.waiting.splice(0).forEach(release)
}

/** Whether poll(2) would say so. */
export function isReady(file: OpenFile, on: 'readable' | 'writable'): boolean {
  if (file.kind === 'channel') {
    if (on === 'readable') return file.inbox.length > 0 || file.peer === null
    return file.peer === null || file.peer.inbox.length < MOST_QUEUED
  }
  if (file.kind === 'pipe' && file.end === 'read') return file.pipe.bytes > 0 || file.pipe.writers === 0
  if (file.kind === 'listener') return on === 'readable' && file.waiting.length > 0
  if (file.kind === 'alarm') return on === 'writable' || file.rung > 0
  return on === 'writable'
}
