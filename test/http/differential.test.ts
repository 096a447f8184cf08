import { HTTP_ERRORS } from '../../lib/http/errors.ts'
import { Random } from '../support/random.ts'
import { byNode } from './by-node.ts'
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
import { replay } from './replay.ts'
import { compare, isListed, nameOf, type Verdict } from './verdict.ts'

const mutations = Number(process.env.MONOCEROS_DIFFERENTIAL_ROUNDS ?? 3000)

/** Node neither requires Host nor counts fields as we do. */
async function judge(text: string): Promise<Verdict> {
  const bytes = Buffer.from(text, 'latin1')
  return compare(replay(bytes, { requireHostHeader: false, limitRequestFields: 0 }), await byNode(bytes))
}

async function unlisted(texts: Iterable<string>, seen: Set<string>): Promise<string[]> {
  const found = new Map<string, string>()
  for (const text of texts) {
    const verdict = await judge(text)
    const name = nameOf(verdict)
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
