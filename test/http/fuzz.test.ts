import { METHODS } from 'node:http'
import { HTTP_ERRORS, type HttpErrorCode } from '../../lib/http/errors.ts'
import { Random } from '../support/random.ts'
import { TEXTS } from './corpus.ts'
import { mutate } from './mutate.ts'
import { referenceHead } from './reference.ts'
import { type Replayed, type ReplayOptions, replay } from './replay.ts'

/** MONOCEROS_FUZZ_SECONDS=600 MONOCEROS_FUZZ_SEED=7 npx jest test/http/fuzz */
const seconds = Number(process.env.MONOCEROS_FUZZ_SECONDS ?? 4)
const firstSeed = Number(process.env.MONOCEROS_FUZZ_SEED ?? 1)

const OPTIONS: readonly ReplayOptions[] = [
  {},
  {},
  {},
  { permitObsoleteFolding: true },
  { permitUnconventionalHttpMethod: true, permitObsoleteFolding: true },
  { headerMap: 'drop', requireHostHeader: false },
  {
    limitRequestLine: 40,
    limitRequestFieldSize: 30,
    limitRequestFields: 3,
    limitRequestHead: 200,
    limitRequestBody: 10,
  },
  { proxyProtocol: 'auto' },
]

const cutsAt = (length: number, random: Random, share: number): number[] =>
  Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1).filter(() => random.unit() < share)

function expectOnlyTableErrors(replayed: Replayed): void {
  if (replayed.error === null) return
  const row = HTTP_ERRORS[replayed.error as HttpErrorCode]
  if (row?.by !== 'bytes') throw new Error(`${replayed.error} is no error of bytes`)
}

const LIMITS: ReadonlySet<string | null> = new Set([
  'REQUEST_LINE_TOO_LONG',
  'TOO_MANY_FIELDS',
  'FIELD_TOO_LARGE',
  'HEAD_TOO_LARGE',
])

/** The first request is judged a second time, by other code. */
function expectReference(text: string, replayed: Replayed, options: ReplayOptions): void {
  if (!text.replace(/^(\r\n)+/, '').includes('\r\n\r\n')) return
  const reference = referenceHead(text, {
    folding: options.permitObsoleteFolding === true,
    anyMethod: options.permitUnconventionalHttpMethod === true,
    methods: METHODS,
  })
  if (replayed.requests.length === 0 && LIMITS.has(replayed.error)) return
  const [first] = replayed.requests
  if (reference === null) return expect(first).toBeUndefined()
  expect(first).toMatchObject(reference)
}

test(`${seconds} s of changed requests: only errors of the table, the same answer however it is cut`, () => {
  const end = performance.now() + 1000 * seconds
  let rounds = 0
  let accepted = 0
  const codes = new Set<string | null>()
  for (let seed = firstSeed; performance.now() < end; seed++) {
    const random = new Random(seed)
    const bytes = Buffer.from(mutate(TEXTS, random), 'latin1')
    const text = bytes.toString('latin1')
    const options = random.pick(OPTIONS)
    try {
      const whole = replay(bytes, options)
      expectOnlyTableErrors(whole)
      for (const share of [1, random.unit(), random.unit() ** 4]) {
        expect(replay(bytes, options, cutsAt(bytes.length, random, share))).toEqual(whole)
      }
      if (options.limitRequestLine === undefined && options.headerMap === undefined && !options.proxyProtocol) {
        expectReference(text, whole, options)
      }
      rounds++
      if (whole.error === null && whole.requests.length > 0) accepted++
      codes.add(whole.error)
    } catch (error) {
      throw new Error(`seed ${seed}, ${JSON.stringify(options)}, ${JSON.stringify(text)}: ${String(error)}`)
    }
  }
  expect(rounds).toBeGreaterThan(100 * seconds)
  expect(accepted).toBeGreaterThan(rounds / 50)
  expect(codes.size).toBeGreaterThan(15)
})

const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n'
const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'

test.each([
  ['empty lines', '', '\r\n'],
  ['a method', '', 'A'],
  ['a target', 'GET /', 'a'],
  ['a field name', HEAD, 'a'],
  ['a value', `${HEAD}X:`, 'a'],
  ['white space', `${HEAD}X:`, ' '],
  ['fields', HEAD, 'X: y\r\n'],
  ['large fields', HEAD, `X: ${'y'.repeat(9000)}\r\n`],
  ['folded lines', `${HEAD}X: y\r\n`, ' z\r\n'],
  ['leading zeros of a chunk size', CHUNKED, '0'],
  ['a chunk extension', `${CHUNKED}1;`, 'a'],
  ['chunks with extensions', CHUNKED, '1;aaaaaaaaaaaaaaa\r\nb\r\n'],
  ['trailers', `${CHUNKED}0\r\n`, 'X: y\r\n'],
  ['large trailers', `${CHUNKED}0\r\n`, `X: ${'y'.repeat(9000)}\r\n`],
])('%s without end are refused after a bounded number of bytes', (_what, before, repeated) => {
  const options: ReplayOptions = { limitRequestFields: 0, permitObsoleteFolding: true }
  const text = before + repeated.repeat(Math.ceil(400_000 / repeated.length))
  const bytes = Buffer.from(text, 'latin1')
  const pieces = Array.from({ length: Math.floor(bytes.length / 1000) }, (_, index) => 1000 * (index + 1))
  const needed = pieces.findIndex(
    (cut) => replay(bytes.subarray(0, cut), options).error !== 'REQUEST_INCOMPLETE' && cut > 66_000,
  )
  expect(pieces[needed]).toBeLessThanOrEqual(140_000)
  expect(replay(bytes, options, pieces).error).toBe(replay(bytes, options).error)
  expect(replay(bytes, options).error).not.toBe('REQUEST_INCOMPLETE')
})
