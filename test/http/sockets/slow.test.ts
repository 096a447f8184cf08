/** Clients that send a byte now and then: they have the time of the server's timeouts and no more, and others are served. */
import { connect } from './played.ts'
import { startServers } from './server.ts'
import { wellBehaved } from './well-behaved.ts'

/** Milliseconds. */
const EVERY = 20
const timeouts = { headersTimeout: 1000, requestTimeout: 1500 }

const PROFILES = [
  { name: 'plain', timeouts },
  { name: 'tls', tls: true, timeouts },
  { name: 'early', manners: ['early'], timeouts },
  { name: 'early-tls', manners: ['early'], tls: true, timeouts },
] as const

const LENGTH = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n'
const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
const TIMEOUT = /^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*\r\n\r\nThe request did not arrive in time\.$/
const EARLY = /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\{.*\}\n$/

/** What comes at once, what is dripped again and again, and what comes of it. */
const DRIPS: Readonly<Record<string, readonly [server: string, before: string, drip: string, answer: RegExp]>> = {
  'a request line': ['plain', '', 'GET', TIMEOUT],
  'a field': ['plain', 'GET / HTTP/1.1\r\nHost: ', 'a', TIMEOUT],
  fields: ['plain', 'GET / HTTP/1.1\r\nHost: a\r\n', 'X: y\r\n', TIMEOUT],
  'a body of a length': ['plain', LENGTH, 'x', TIMEOUT],
  'a body in chunks': ['plain', CHUNKED, '1\r\nx\r\n', TIMEOUT],
  trailers: ['plain', `${CHUNKED}0\r\n`, 'X: y\r\n', TIMEOUT],
  'a field over TLS': ['tls', 'GET / HTTP/1.1\r\nHost: ', 'a', TIMEOUT],
  'a body over TLS': ['tls', LENGTH, 'x', TIMEOUT],
  'a body that was answered before': ['early', LENGTH, 'x', EARLY],
  'a body that was answered before, over TLS': ['early-tls', LENGTH, 'x', EARLY],
}

test('A head or body that drips is ended by 408, or behind its answer, while others are served.', async () => {
  const servers = startServers(PROFILES)
  const ports = new Map<string, number>()
  for (const { name } of PROFILES) ports.set(name, await servers.port(name))
  const other = wellBehaved(ports.get('plain')!)
  const drip = async ([name, before, text, answer]: (typeof DRIPS)[string], what: string) => {
    const client = await connect(ports.get(name)!, name.endsWith('tls'))
    await client.send(before === '' ? [] : [Buffer.from(before)])
    let sent = 0
    const timer = setInterval(() => client.socket.write(text[sent++ % text.length]!), EVERY)
    await client.untilEnd().finally(() => clearInterval(timer))
    client.destroy()
    expect([what, client.received]).toEqual([what, expect.stringMatching(answer)])
    expect(sent).toBeGreaterThan(1)
  }
  await Promise.all(Object.entries(DRIPS).map(([what, each]) => drip(each, what)))
  expect(await other.stop()).toBeGreaterThan(0)
  await servers.isUnharmed()
})
