import { HTTP_ERRORS, type HttpErrorCode } from '../../lib/http/errors.ts'
import { Random } from '../support/random.ts'
import { type ByNode, byNode } from './by-node.ts'
import corpus from './cases/gunicorn-requests.json'
import { OWN_CASES } from './cases/index.ts'
import {
  ACCEPTED_HERE,
  MEANT_FOR_APPS,
  type NodeDifference,
  OTHERWISE,
  REFUSED_HERE,
} from './cases/node-differences.ts'
import { TEXTS } from './corpus.ts'
import { mutate } from './mutate.ts'
import { type Replayed, replay } from './replay.ts'

const mutations = Number(process.env.MONOCEROS_DIFFERENTIAL_ROUNDS ?? 3000)

type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'refused here'; readonly key: HttpErrorCode }
  | { readonly kind: 'accepted here'; readonly key: string }
  | { readonly kind: 'otherwise'; readonly key: keyof typeof OTHERWISE }
  | { readonly kind: 'different'; readonly key: string }

const SAME: Verdict = { kind: 'same' }

/** The first thing in which the two differ. That they refuse with different words is no difference. */
function compare(ours: Replayed, node: ByNode): Verdict {
  for (const [index, request] of ours.requests.entries()) {
    const theirs = node.requests[index]
    if (theirs === undefined) return { kind: 'accepted here', key: String(node.error) }
    if (theirs.rawHeaders.length >= 2000 && request.rawHeaders.length > theirs.rawHeaders.length) {
      return { kind: 'otherwise', key: 'fields cut off' }
    }
    for (const key of ['method', 'target', 'rawHeaders'] as const) {
      if (JSON.stringify(request[key]) !== JSON.stringify(theirs[key])) return { kind: 'different', key }
    }
    if (theirs.upgrade && !request.upgrade && request.method !== 'CONNECT') return { kind: 'otherwise', key: 'h2c' }
    if (theirs.upgrade) return SAME
    const last = index === ours.requests.length - 1
    if (last && request.complete && !request.keepAlive && (node.error !== null || node.requests.length > index + 1)) {
      return { kind: 'otherwise', key: 'bytes after close' }
    }
    if (request.complete && theirs.complete) {
      for (const key of ['body', 'trailers'] as const) {
        if (JSON.stringify(request[key]) !== JSON.stringify(theirs[key])) return { kind: 'different', key }
      }
    }
  }
  const theirsGoOn = node.requests.length > ours.requests.length
  if (ours.error === null) {
    if (theirsGoOn) return { kind: 'different', key: 'they find more requests' }
    return node.error === null ? SAME : { kind: 'accepted here', key: node.error }
  }
  const refusedOnlyHere = theirsGoOn || node.error === null
  return refusedOnlyHere ? { kind: 'refused here', key: ours.error as HttpErrorCode } : SAME
}

const isListed = (verdict: Verdict): boolean =>
  verdict.kind === 'same' ||
  verdict.kind === 'otherwise' ||
  (verdict.kind === 'refused here' && verdict.key in REFUSED_HERE) ||
  (verdict.kind === 'accepted here' && verdict.key in ACCEPTED_HERE)

/** Node neither requires Host nor counts fields as we do. */
async function judge(text: string): Promise<Verdict> {
  const bytes = Buffer.from(text, 'latin1')
  return compare(replay(bytes, { requireHostHeader: false, limitRequestFields: 0 }), await byNode(bytes))
}

async function unlisted(texts: Iterable<string>, seen: Set<string>): Promise<string[]> {
  const found = new Map<string, string>()
  for (const text of texts) {
    const verdict = await judge(text)
    const name = verdict.kind === 'same' ? verdict.kind : `${verdict.kind}: ${verdict.key}`
    seen.add(name)
    if (!isListed(verdict) && !found.has(name)) found.set(name, text)
  }
  return [...found].map(([name, text]) => `${name}: ${JSON.stringify(text.slice(0, 400))}`)
}

const cases = [
  ...(corpus as readonly { raw_base64: string }[]).map((raw) =>
    Buffer.from(raw.raw_base64, 'base64').toString('latin1'),
  ),
  ...OWN_CASES.map(({ raw }) => raw),
]

function* mutated(count: number): Generator<string> {
  for (let seed = 1; seed <= count; seed++)
    yield Buffer.from(mutate(TEXTS, new Random(seed)), 'latin1').toString('latin1')
}

/** The rows that hold for this version of Node. */
const namesOf = (kind: Verdict['kind'], rows: Readonly<Record<string, NodeDifference>>): string[] =>
  Object.entries(rows)
    .filter(([, { until }]) => Number.parseInt(process.versions.node, 10) <= (until ?? Number.POSITIVE_INFINITY))
    .map(([key]) => `${kind}: ${key}`)

test('every difference to Node over all cases is listed, and every row of the list is shown by a case', async () => {
  const seen = new Set<string>()
  expect(await unlisted(cases, seen)).toEqual([])
  const rows = [
    ...namesOf('refused here', REFUSED_HERE),
    ...namesOf('accepted here', ACCEPTED_HERE),
    ...namesOf('otherwise', OTHERWISE),
  ]
  expect(rows.filter((row) => !seen.has(row))).toEqual([])
})

test(`every difference to Node over ${mutations} changed requests is listed`, async () => {
  expect(await unlisted(mutated(mutations), new Set())).toEqual([])
})

test("where the table of errors names a code of Node's, Node gives it for a case of that error", async () => {
  const pairs = new Set<string>()
  for (const text of cases) {
    const bytes = Buffer.from(text, 'latin1')
    const ours = replay(bytes, { requireHostHeader: false })
    const node = await byNode(bytes)
    if (ours.requests.length === node.requests.length) pairs.add(`${ours.error} ${node.error}`)
  }
  const named = Object.values(HTTP_ERRORS).flatMap(({ code, by, node }) =>
    by === 'bytes' && node !== null ? [`${code} ${node}`] : [],
  )
  expect(named.filter((pair) => !pairs.has(pair) && !MEANT_FOR_APPS.includes(pair))).toEqual([])
  expect(MEANT_FOR_APPS.filter((pair) => !named.includes(pair))).toEqual([])
})
