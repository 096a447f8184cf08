/** A client whose FIN has come before its answer: it waits, it is gone, or nobody knows. */
import type http from 'node:http'
import type net from 'node:net'
import type { OtherEnd } from '../../../lib/http/half-closed.ts'
import { type Ms, ms } from '../../../lib/units.ts'
import { converse } from '../../support/http.ts'
import { get, serve } from './serving.ts'

/** Longer than any test may take. */
const NEVER = ms(3_600_000)

/** Answers in this order, and then always as the last. */
const says = (...answers: readonly ReturnType<OtherEnd>[]) =>
  jest.fn<ReturnType<OtherEnd>, []>(() => answers[Math.min(asked++, answers.length - 1)]!)
let asked = 0
beforeEach(() => {
  asked = 0
})

/** Sends a request and half-closes; settles with what the app heard when it heard that the client is gone. */
async function abandoned(otherEnd: OtherEnd | undefined, disconnectGrace: Ms): Promise<string[]> {
  const heard: string[] = []
  const gone = resolvers()
  const { port } = await serve(
    (req, res) => {
      req.on('aborted', () => heard.push('aborted'))
      req.on('close', () => heard.push('request closed'))
      res.on('close', () => {
        heard.push(`response closed, finished: ${res.writableFinished}`)
        setImmediate(gone.resolve)
      })
    },
    { disconnectGrace, ...(otherEnd && { otherEnd }) },
  )
  const client = await converse({ port }, { allowHalfOpen: true })
  client.send(get('/'))
  client.socket.end()
  await gone.promise
  return heard.sort()
}

function resolvers() {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

const GONE = ['aborted', 'request closed', 'response closed, finished: false']

test('A client that is known to be gone is not waited on.', async () => {
  const otherEnd = says('left')
  expect(await abandoned(otherEnd, NEVER)).toEqual(GONE)
  expect(otherEnd).toHaveBeenCalledTimes(1)
})

test('A client that leaves while it waits is noticed.', async () => {
  const otherEnd = says('held', 'held', 'held', 'left')
  expect(await abandoned(otherEnd, NEVER)).toEqual(GONE)
  expect(otherEnd).toHaveBeenCalledTimes(4)
})

test('A client of which nothing is known is not asked for again, and waited on for disconnectGrace.', async () => {
  const otherEnd = says('unknown')
  expect(await abandoned(otherEnd, ms(100))).toEqual(GONE)
  expect(otherEnd).toHaveBeenCalledTimes(1)
})

test('A client that stays and is not answered is waited on for disconnectGrace.', async () => {
  const otherEnd = says('held')
  expect(await abandoned(otherEnd, ms(60))).toEqual(GONE)
  expect(otherEnd.mock.calls.length).toBeGreaterThan(1)
  expect(await abandoned(undefined, ms(20))).toEqual(GONE)
})

test('With a grace of zero nobody is asked, as under node:http.', async () => {
  const otherEnd = says('held')
  expect(await abandoned(otherEnd, ms(0))).toEqual(GONE)
  expect(otherEnd).not.toHaveBeenCalled()
})

test('A client that stays is answered after many looks.', async () => {
  const otherEnd = says('held')
  const { port } = await serve(
    (req, res) => {
      const look = () => (otherEnd.mock.calls.length < 4 ? setTimeout(look, 5) : res.end(`for ${req.url}`))
      look()
    },
    { disconnectGrace: NEVER, otherEnd },
  )
  const client = await converse({ port }, { allowHalfOpen: true })
  client.send(get('/patience'))
  client.socket.end()
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nfor \/patience$/)
})

/** The grace of one that came later is over, whose response is never ended: so are those of all before. */
async function behindGrace(port: number, over: Promise<void>): Promise<void> {
  const later = await converse({ port }, { allowHalfOpen: true })
  later.send(get('/never'))
  later.socket.end()
  await over
}

test('An answer that was ended within the grace arrives whole, however slowly it is read.', async () => {
  const BYTES = 20_000_000
  const other = resolvers()
  const { port } = await serve(
    (req, res) => {
      if (req.url === '/never') res.on('close', other.resolve)
      else req.socket.once('end', () => res.end(Buffer.alloc(BYTES, 'x')))
    },
    { disconnectGrace: ms(50) },
  )
  const reader = await converse({ port }, { allowHalfOpen: true })
  reader.socket.pause()
  reader.send(get('/'))
  reader.socket.end()
  await finished(reader.socket)
  await behindGrace(port, other.promise)
  reader.socket.resume()
  const received = await reader.closed()
  expect(received.length - received.indexOf('\r\n\r\n') - 4).toBe(BYTES)
})

describe('Behind the grace, of pipelined answers', () => {
  const BYTES = 20_000_000

  /** A client that sends these and half-closes, and reads only when its grace is over. */
  async function readLate(bytes: string) {
    const closed: string[] = []
    const other = resolvers()
    const { port } = await serve(
      (req, res) => {
        res.on('close', () => {
          closed.push(`${req.url} ${res.writableFinished}`)
          if (req.url === '/never') setImmediate(other.resolve)
        })
        if (!req.url!.startsWith('/never'))
          req.socket.once('end', () => res.end(req.url === '/big' ? 'x'.repeat(BYTES) : req.url))
      },
      { disconnectGrace: ms(50) },
    )
    const reader = await converse({ port }, { allowHalfOpen: true })
    reader.socket.pause()
    reader.send(bytes)
    reader.socket.end()
    await finished(reader.socket)
    await behindGrace(port, other.promise)
    const byThen = [...closed]
    reader.socket.resume()
    const received = await reader.closed()
    return { byThen, size: received.indexOf('HTTP/', 1), rest: received.slice(BYTES).replace(/^x*/, '') }
  }

  test('those that were ended arrive.', async () => {
    const { size, rest } = await readLate(get('/big') + get('/1') + get('/2'))
    expect(size).toBeGreaterThan(BYTES)
    expect(rest).toMatch(/^HTTP[\s\S]*\r\n\r\n\/1HTTP[\s\S]*\r\n\r\n\/2$/)
  })

  test('those from the first on that was not are given up, and their app hears so.', async () => {
    const { byThen, size, rest } = await readLate(get('/big') + get('/1') + get('/never/1') + get('/2'))
    expect(byThen).toEqual(['/never/1 false', '/2 false', '/never false'])
    expect(size).toBeGreaterThan(BYTES)
    expect(rest).toMatch(/^HTTP[^/]*\/1\.1 200 OK[\s\S]*\r\n\r\n\/1$/)
    expect(rest).not.toContain('/2')
  })

  test('those before a request that was broken off arrive, and then the error.', async () => {
    const { size, rest } = await readLate(`${get('/big') + get('/1')}GET /2 HT`)
    expect(size).toBeGreaterThan(BYTES)
    expect(rest).toMatch(/\r\n\r\n\/1HTTP\/1\.1 400 Bad Request[\s\S]*closed inside a request\.$/)
  })
})

test('An answer that has begun and goes on is broken off at once.', async () => {
  const heard = resolvers()
  const listener: http.RequestListener = (_req, res) => {
    res.write('data: 1\n\n')
    res.on('close', heard.resolve)
  }
  const { port } = await serve(listener, { disconnectGrace: NEVER, otherEnd: says('held') })
  const client = await converse({ port }, { allowHalfOpen: true })
  client.send(get('/'))
  await client.until('data: 1')
  client.socket.end()
  await heard.promise
})

test('An answer that goes on and is not read is given up, and its app hears so.', async () => {
  const heard = resolvers()
  const full = resolvers()
  const { port, engine } = await serve((_req, res) => {
    res.on('close', heard.resolve)
    const fill = () => (res.write(Buffer.alloc(65_536)) ? setImmediate(fill) : full.resolve())
    res.write(Buffer.alloc(20_000_000))
    fill()
  })
  const client = await converse({ port }, { allowHalfOpen: true })
  client.socket.pause()
  client.send(get('/'))
  await full.promise
  client.socket.end()
  await heard.promise
  expect(engine.counts().connections).toBe(0)
})

async function finished(socket: net.Socket): Promise<void> {
  if (!socket.writableFinished) await new Promise((resolve) => socket.once('finish', resolve))
}
