import { HTTP_ERRORS, type HttpErrorCode } from '../../lib/http/errors.ts'
import type { HeaderMap } from '../../lib/http/parser/rules.ts'
import { SECURE_SCHEME_HEADERS } from '../../lib/http/proxy/forwarded.ts'
import { GUNICORN_DIFFERENCES } from './cases/gunicorn-differences.ts'
import corpus from './cases/gunicorn-requests.json'
import { cutsOf } from './cuts.ts'
import { type Replayed, type ReplayedRequest, type ReplayOptions, replay } from './replay.ts'

type Case = {
  readonly name: string
  readonly kind: 'valid' | 'invalid'
  readonly raw_base64: string
  readonly config: Readonly<Record<string, unknown>>
  readonly expect: {
    readonly requests?: readonly GunicornRequest[]
    readonly error?: string
    readonly intended_status?: number | null
  }
}

type GunicornRequest = {
  readonly method: string
  readonly target: string
  readonly version: readonly number[]
  readonly headers: readonly (readonly string[])[]
  readonly body_base64: string
  readonly trailers: readonly (readonly string[])[]
  readonly should_close: boolean
  readonly proxy: { client_addr: string; client_port: number; proxy_addr: string; proxy_port: number } | null
}

const cases = corpus as unknown as readonly Case[]

/** The case's options by our names, on gunicorn's own limits; gunicorn does not require Host. */
function optionsOf(config: Case['config']): ReplayOptions {
  const number = (name: string, otherwise: number) => Number(config[name] ?? otherwise)
  const map = config.header_map === 'refuse' ? 'refuse' : config.header_map === 'dangerous' ? 'keep' : 'drop'
  return {
    requireHostHeader: false,
    limitRequestLine: number('limit_request_line', 4094),
    limitRequestFields: number('limit_request_fields', 100),
    limitRequestFieldSize: number('limit_request_field_size', 8190),
    permitObsoleteFolding: config.permit_obsolete_folding === true,
    permitUnconventionalHttpMethod: config.permit_unconventional_http_method === true,
    headerMap: map satisfies HeaderMap,
    ...(config.proxy_protocol === undefined ? {} : { proxyProtocol: config.proxy_protocol as 'auto' }),
    ...(config.forwarded_allow_ips === undefined ? {} : { secureSchemeHeaders: SECURE_SCHEME_HEADERS }),
  }
}

const pairs = (flat: readonly string[]): string[][] =>
  flat.flatMap((name, index) => (index % 2 === 0 ? [[name.toUpperCase(), flat[index + 1]!]] : []))

const asGunicorn = (request: ReplayedRequest) => ({
  method: request.method,
  target: request.target,
  version: [1, request.minorVersion],
  headers: pairs(request.rawHeaders),
  body: Buffer.from(request.body, 'latin1').toString('base64'),
  trailers: pairs(request.trailers),
  should_close: !request.keepAlive,
})

function expectAgreement(testCase: Case, replayed: Replayed): void {
  if (testCase.kind === 'valid') {
    const expected = testCase.expect.requests!.map(
      ({ method, target, version, headers, trailers, should_close, body_base64 }) => ({
        method,
        target,
        version,
        headers,
        body: body_base64,
        trailers,
        should_close,
      }),
    )
    expect(replayed.error).toBeNull()
    expect(replayed.requests.map(asGunicorn)).toEqual(expected)
    const proxy = testCase.expect.requests!.find((request) => request.proxy !== null)?.proxy ?? null
    expect(replayed.proxy).toEqual(
      proxy && {
        source: { address: proxy.client_addr, port: proxy.client_port },
        destination: { address: proxy.proxy_addr, port: proxy.proxy_port },
      },
    )
    return
  }
  expect(replayed.error).not.toBeNull()
  const row = HTTP_ERRORS[replayed.error as HttpErrorCode]
  expect(row.gunicorn).toContain(testCase.expect.error)
  if (testCase.expect.intended_status !== null) expect(row.status).toBe(testCase.expect.intended_status)
}

test('the corpus is whole', () => {
  expect(cases.filter((testCase) => testCase.kind === 'valid')).toHaveLength(63)
  expect(cases.filter((testCase) => testCase.kind === 'invalid')).toHaveLength(74)
})

test.each(cases.map((testCase) => [testCase.name, testCase] as const))(
  '%s has its outcome or the difference that is listed',
  (name, testCase) => {
    const raw = Buffer.from(testCase.raw_base64, 'base64')
    const replayed = replay(raw, optionsOf(testCase.config))
    const difference = GUNICORN_DIFFERENCES[name]
    if (difference === undefined) expectAgreement(testCase, replayed)
    else {
      expect(replayed.error ?? 'accepted').toBe(difference.outcome)
      expect(() => expectAgreement(testCase, replayed)).toThrow()
    }
  },
)

test.each(cases.map((testCase) => [testCase.name, testCase] as const))(
  '%s has the same outcome whole, byte by byte and cut at random',
  (_name, testCase) => {
    const raw = Buffer.from(testCase.raw_base64, 'base64')
    const options = optionsOf(testCase.config)
    const whole = replay(raw, options)
    for (const cuts of cutsOf(raw.length, 1)) expect(replay(raw, options, cuts)).toEqual(whole)
  },
)

test('every difference is that of a case', () => {
  const names = new Set(cases.map((testCase) => testCase.name))
  expect(Object.keys(GUNICORN_DIFFERENCES).filter((name) => !names.has(name))).toEqual([])
})

test('every exception class of the corpus has a counterpart in the table of errors', () => {
  const classes = new Set(cases.flatMap((testCase) => testCase.expect.error ?? []))
  const known = new Set<string>(Object.values(HTTP_ERRORS).flatMap((row) => row.gunicorn))
  expect([...classes].filter((name) => !known.has(name))).toEqual([])
})
