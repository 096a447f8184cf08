/**
 * A fork copies the state of every random generator: without care all children would draw the same numbers.
 *
 *   crypto.randomBytes    OpenSSL's own: it notices the fork
 *   randomUUID            Node keeps a stock of random bytes: the mold uses it up
 *   randomInt             the same: each child fills it anew
 *   Math.random           V8's, one for each context: each child seeds a fresh context's anew and draws from that, through
 *                         a function that stands in for Math.random before the app can take a reference to it, also in
 *                         the contexts that it makes (`contexts.ts`). Threads have a generator of their own, which V8
 *                         seeds when nobody has set a seed
 *   queries of dns        c-ares's, one stock for each channel: each child has channels of its own (`dns.ts`)
 *
 * What libraries have drawn for themselves while they were loaded (a counter's start, an instance's id) stays equal in
 * all children; who drew is recorded, so that it can be said.
 */
import { AsyncResource } from 'node:async_hooks'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import vm from 'node:vm'
import { callerOf } from './caller.ts'
import { noteContexts } from './contexts.ts'
import { watchChannels } from './dns.ts'

/** Node's own: contexts of ours are none of the app's. */
const { runInNewContext } = vm

/** Node's stock of UUIDs: 128 of them (lib/internal/crypto/random.js). */
const UUIDS = 128
/** Node's stock for randomInt: 6 KiB, of which each number takes 6 bytes. */
const INTEGERS = 1024

export type Randomness = {
  /** Packages (or files of the app) that drew random numbers since `install`, and with what. Stops recording. */
  drawn(): readonly string[]
  /** Uses up what the mold has in stock, as far as it can, so that children need not. Last before the fork. */
  useUp(): void
  /** In the child, before any code of the app. */
  renew(): void
}

/** Before the app is loaded. */
export function installRandomness(): Randomness {
  let fresh = pristine()
  let isUsed = false
  const stock = stockOfIntegers()
  const stopRecording = record()
  const contexts = noteContexts()
  const renewChannels = watchChannels()
  let noUuids = false
  let draw = Math.random
  Math.random = function random() {
    return draw()
  }
  return {
    drawn: stopRecording,
    useUp() {
      if (isUsed) fresh = pristine()
      noUuids = useUpUuids()
    },
    renew() {
      setFlagsFromString(`--random-seed=${crypto.randomBytes(4).readInt32LE() || 1}`)
      // It takes the seed now; whoever else looked for one would get the same.
      fresh()
      setFlagsFromString('--random-seed=0')
      draw = fresh
      contexts.renew(fresh)
      renewChannels()
      isUsed = true
      if (!noUuids) for (let n = 0; n < UUIDS; n++) crypto.randomUUID()
      if (stock !== null) crypto.randomFillSync(stock)
      else for (let n = 0; n < INTEGERS; n++) crypto.randomInt(2)
    },
  }
}

/** That of a context of its own, whose generator is seeded when it is first used: in the child. */
const pristine = (): (() => number) => runInNewContext('Math.random')

/** The bytes that `randomInt` reads its numbers from, where this Node reads them as we expect: filling beats drawing. */
function stockOfIntegers(): Uint8Array | null {
  const { readUIntBE } = Buffer.prototype
  let stock: Uint8Array | null = null
  Buffer.prototype.readUIntBE = function (this: Buffer, ...args: [number, number]) {
    stock = this
    return Reflect.apply(readUIntBE, this, args)
  }
  try {
    crypto.randomInt(2)
  } finally {
    Buffer.prototype.readUIntBE = readUIntBE
  }
  return stock
}

/** Draws until the next UUID would need new random bytes; false where this Node does not show when it takes them. */
function useUpUuids(): boolean {
  let taken = false
  let last = newAsyncId()
  for (let n = 0; n <= UUIDS && !taken; n++) {
    crypto.randomUUID()
    const next = newAsyncId()
    // Drawing random bytes is a job with an id of its own; a hook that watches for it would stay installed for a while.
    taken = next > last + 1
    last = next
  }
  if (taken) for (let n = 1; n < UUIDS; n++) crypto.randomUUID()
  return taken
}

const newAsyncId = (): number => new AsyncResource('monoceros').asyncId()

const RECORDED = ['randomBytes', 'randomFillSync', 'randomFill', 'randomInt', 'randomUUID'] as const

/** Wraps crypto's functions until the result is called, which says who has called them. */
function record(): () => readonly string[] {
  const found = new Set<string>()
  let recording = true
  const wrap = <F extends (...args: never[]) => unknown>(name: string, original: F): F =>
    function (this: unknown, ...args: never[]) {
      if (recording) found.add(`${callerOf(new Error())} (${name})`)
      return Reflect.apply(original, this, args)
    } as unknown as F
  const originals = RECORDED.map((name) => [name, crypto[name]] as const)
  const { webcrypto } = crypto
  const getRandomValues = webcrypto.getRandomValues
  for (const [name, original] of originals) Object.assign(crypto, { [name]: wrap(name, original as never) })
  webcrypto.getRandomValues = wrap('getRandomValues', getRandomValues as never)
  syncBuiltinESMExports()
  return () => {
    recording = false
    for (const [name, original] of originals) Object.assign(crypto, { [name]: original })
    webcrypto.getRandomValues = getRandomValues
    syncBuiltinESMExports()
    return [...found]
  }
}
