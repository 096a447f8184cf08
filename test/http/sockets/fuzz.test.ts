/**
 * Changed requests over real connections to a process of its own: whatever comes and however it is cut, the client
 * receives what the pure parser says, and others are served meanwhile.
 */
import { Random } from '../../support/random.ts'
import { TEXTS } from '../corpus.ts'
import { mutate } from '../mutate.ts'
import { connect, piecesOf } from './played.ts'
import { type Predicted, predicted, withoutConnection, withoutDate } from './predicted.ts'
import { type Manner, type Profile, type ServerProcess, startServers } from './server.ts'
import { wellBehaved } from './well-behaved.ts'

/** MONOCEROS_FUZZ_SECONDS=600 MONOCEROS_FUZZ_SEED=7 npx jest test/http/sockets/fuzz */
const seconds = Number(process.env.MONOCEROS_FUZZ_SECONDS ?? 4)
const firstSeed = Number(process.env.MONOCEROS_FUZZ_SEED ?? 1)

/** Inputs at least, however slow the machine is. */
const FEWEST = 300

/** At once. */
const CLIENTS = 12

/** Of the heap and outside of it, after a collection: nothing of a connection that is gone, however many there were. */
const MOST_KEPT = 8_000_000

const MIXED: readonly Manner[] = ['at once', 'later', 'early']

const PROFILES: readonly Profile[] = [
  { name: 'plain', manners: ['at once'] },
  { name: 'mixed', manners: MIXED },
  { name: 'late', manners: ['later', 'early', 'at once'] },
  { name: 'parts', manners: ['in parts', 'later'] },
  { name: 'without-tunnels', manners: MIXED, options: { tunnels: false } },
  { name: 'folding', manners: MIXED, options: { permitObsoleteFolding: true, permitUnconventionalHttpMethod: true } },
  { name: 'without-host', manners: MIXED, options: { headerMap: 'drop', requireHostHeader: false } },
  {
    name: 'limits',
    manners: ['at once', 'later'],
    options: {
      limitRequestLine: 40,
      limitRequestFieldSize: 30,
      limitRequestFields: 3,
      limitRequestHead: 200,
      limitRequestBody: 10,
    },
  },
  { name: 'proxied', manners: MIXED, options: { proxyProtocol: 'auto' } },
  {
    name: 'schemes',
    manners: MIXED,
    options: { secureSchemeHeaders: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Ssl': 'on' } },
  },
  { name: 'own-error', manners: MIXED, ownError: 'HTTP/1.1 400 Own\r\nConnection: close\r\n\r\nown' },
  { name: 'tls', manners: MIXED, tls: true },
  { name: 'tls-late', manners: ['later', 'early', 'at once'], tls: true },
]

const quoted = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1'))

const PROBE = Buffer.from('GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')

const GOOD = [
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  'HEAD /b HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  'POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n',
  'PUT /f HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab',
  'PUT /g HTTP/1.1\r\nHost: a\r\nExpect: something\r\nContent-Length: 2\r\n\r\nab',
]

/** A changed text by itself, or behind requests, or before them: so that more than the first of a connection matters. */
function bytesFor({ options }: Profile, random: Random): Buffer {
  const good = () => Array.from({ length: random.below(4) }, () => random.pick(GOOD)).join('')
  const proxy = options?.proxyProtocol && random.chance(0.5) ? 'PROXY TCP4 192.0.2.7 192.0.2.8 1024 443\r\n' : ''
  const changed = random.chance(0.7) ? mutate(TEXTS, random) : ''
  const behind = random.chance(0.5) ? good() : ''
  return Buffer.from(proxy + good() + changed + behind, 'latin1')
}

type Way = {
  readonly pieces: 'whole' | 'byte by byte' | 'cut'
  readonly cuts: readonly number[]
  readonly end: boolean
}

function wayOf(length: number, profile: Profile, random: Random): Way {
  // A byte by itself is a system call on either side.
  const pieces = length < 300 && random.chance(0.3) ? 'byte by byte' : random.pick(['whole', 'cut'] as const)
  const share = { whole: 0, 'byte by byte': 1, cut: random.unit() ** 5 }[pieces]
  const cuts = Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1).filter(() =>
    random.chance(share),
  )
  // An answer that has begun is broken off when its client ends.
  const end = !profile.manners!.includes('in parts') && random.chance(0.3)
  return { pieces, cuts, end }
}

/** Sends it, and holds what comes against what must. */
async function play(port: number, bytes: Buffer, profile: Profile, way: Way): Promise<Predicted> {
  const expected = predicted(bytes, profile)
  const client = await connect(port, profile.tls)
  try {
    await client.send(piecesOf(bytes, way.cuts))
    if (way.end) client.halfClose()
    else await isThere(client, expected)
    if (!way.end && expected.next === 'waits') client.halfClose()
    let all = expected.answers + expected.last
    if (!way.end && expected.next === 'is idle') {
      all = predicted(Buffer.concat([bytes, PROBE]), profile).answers
      await client.send([PROBE])
    }
    await client.untilEnd()
    expect(shown(client.received, way.end)).toBe(shown(all, way.end))
  } finally {
    client.destroy()
  }
  return expected
}

/** Everything before the client does something more, and no end where none is due. */
async function isThere(client: Awaited<ReturnType<typeof connect>>, { answers, next }: Predicted): Promise<void> {
  if (next === 'closes') return client.untilEnd()
  await client.until((received) => withoutDate(received).length >= answers.length)
  expect(withoutDate(client.received)).toBe(answers)
  expect(client.ended).toBe(false)
}

/**
 * A 100 (Continue) before the error of the very request is sent or not: RFC 9110 §10.1.1 leaves it to the server, and
 * it hangs on whether the responses before have left.
 */
const shown = (text: string, halfClosed: boolean): string => {
  const kept = withoutDate(text).replace(
    /HTTP\/1\.1 100 Continue\r\n\r\n(?=HTTP\/1\.1 (4|5)[\s\S]*Connection: close\r\n\r\n[^\n]*$)/,
    '',
  )
  return halfClosed ? withoutConnection(kept) : kept
}

test(
  `${seconds} s of changed requests over connections: the answers that the parser says, and others are served`,
  async () => {
    const servers: ServerProcess = startServers(PROFILES)
    const ports = new Map<Profile, number>()
    for (const profile of PROFILES) ports.set(profile, await servers.port(profile.name))
    const others = PROFILES.filter(({ tls, options }) => !tls && !options?.limitRequestHead).map((profile) =>
      wellBehaved(ports.get(profile)!),
    )
    const kinds: Record<string, number> = {}
    const before = await servers.heap()
    const until = performance.now() + 1000 * seconds
    let seed = firstSeed
    let failed = false
    const work = async () => {
      while ((performance.now() < until || seed < firstSeed + FEWEST) && !failed) {
        const mine = seed++
        const random = new Random(mine)
        const profile = random.pick(PROFILES)
        const bytes = bytesFor(profile, random)
        const way = wayOf(bytes.length, profile, random)
        try {
          const { next } = await play(ports.get(profile)!, bytes, profile, way)
          for (const what of [next, way.pieces]) kinds[what] = (kinds[what] ?? 0) + 1
        } catch (error) {
          failed = true
          const how = `${way.pieces}${way.end ? ', half-closed' : ''}`
          // A server that has died takes all clients with it: which of them killed it its last words say.
          const state = await servers.counts().then(JSON.stringify, String)
          throw new Error(
            `seed ${mine} (or up to ${seed - 1}), ${profile.name}, ${how}, ${quoted(bytes)}: ${error}\n${state}`,
          )
        }
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, work))
    for (const other of others) expect(await other.stop()).toBeGreaterThan(0)
    await servers.isUnharmed()
    expect((await servers.heap()).used).toBeLessThan(before.used + MOST_KEPT)
    expect(Object.keys(kinds).toSorted()).toEqual(['byte by byte', 'closes', 'cut', 'is idle', 'waits', 'whole'])
  },
  180_000 + 1000 * seconds,
)
