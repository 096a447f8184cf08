/** Hears that a stream is closed. A listener would not do: an app may remove all of them, also behind our back. */
import type { Duplex } from 'node:stream'

/**
 * Calls back when it has emitted 'close' and its listeners have heard that. Not for one that is closed already. Until it is
 * destroyed its `emit` stays as it is, since every piece of data goes through that.
 */
export function afterClose(stream: Duplex, then: () => void): void {
  if (stream.destroyed) return afterEmit(stream, then)
  const { _destroy } = stream
  stream._destroy = function (error, done) {
    afterEmit(stream, then)
    _destroy.call(this, error, done)
  }
}

function afterEmit(stream: Duplex, then: () => void): void {
  const { emit } = stream
  stream.emit = (event: string | symbol, ...args: unknown[]) => {
    try {
      return Reflect.apply(emit, stream, [event, ...args])
    } finally {
      if (event === 'close') then()
    }
  }
}
