/** A value too long for a datagram, as JSON in a sealed memory whose descriptor travels instead. */
import type { Kernel } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'

/** The caller closes the descriptor when it has been sent. */
export function writeBlob(kernel: Pick<Kernel, 'sharedMemory' | 'map'>, value: object): Fd {
  const bytes = Buffer.from(JSON.stringify(value))
  const memory = kernel.sharedMemory('monoceros-blob', bytes.length)
  Buffer.from(kernel.map(memory)).set(bytes)
  return memory
}

/** Reads it and closes the descriptor. Throws where it holds no JSON. */
export function readBlob(kernel: Pick<Kernel, 'map' | 'close'>, memory: Fd): unknown {
  try {
    return JSON.parse(Buffer.from(kernel.map(memory)).toString())
  } finally {
    kernel.close(memory)
  }
}
