/**
 * `process.stdout` and `process.stderr` in a mold whose children write to other places, of other kinds, than it does.
 *
 * Node makes each of them when it is first asked for, by what the descriptor is then: a file, a pipe, a terminal. What
 * would be made while code is loaded would be wrong in the children. So until the fork a stand-in writes to the
 * descriptor, and from then on it is the stream that Node makes in the child, also for who has kept a reference.
 */
import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'

const STREAMS = [
  ['stdout', 1],
  ['stderr', 2],
] as const

/** Until the result is called, in the child. */
export function deferStreams(): () => void {
  const restore = STREAMS.map(([name, fd]) => defer(name, fd))
  return () => {
    for (const one of restore) one()
  }
}

function defer(name: 'stdout' | 'stderr', fd: number): () => void {
  const own = Object.getOwnPropertyDescriptor(process, name)!
  const early: Writable = Object.assign(writerTo(fd), { fd })
  let forked = false
  const stream = (): Writable => (forked ? process[name] : early)
  const standIn = new Proxy(early, {
    // A method must find its own stream in `this`.
    get(_, property) {
      const value = Reflect.get(stream(), property, stream())
      return typeof value === 'function' ? value.bind(stream()) : value
    },
    set: (_, property, value) => Reflect.set(stream(), property, value, stream()),
    has: (_, property) => Reflect.has(stream(), property),
    getPrototypeOf: () => Reflect.getPrototypeOf(stream()),
  })
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => standIn })
  return () => {
    Object.defineProperty(process, name, own)
    forked = true
    for (const event of early.eventNames() as string[])
      for (const listener of early.rawListeners(event)) process[name].on(event, listener as () => void)
  }
}

/** Each write is over when it returns; what nobody reads is lost. */
const writerTo = (fd: number): Writable =>
  new Writable({
    decodeStrings: true,
    write(bytes: Buffer, _encoding, done) {
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
      } catch {}
      done()
    },
  })
