import { readFileSync } from 'node:fs'
import { join } from 'node:path'

type Row = {
  readonly suite: string
  readonly title: string
  readonly because: string
  readonly nodes?: readonly string[]
}

const { EXPLAINED } = require('./explained.js') as { readonly EXPLAINED: readonly Row[] }
const { NAMES } = require('./suites.js') as { readonly NAMES: readonly string[] }
const { VERSIONS } = require('../support/node-versions.js') as { readonly VERSIONS: readonly string[] }

const page = readFileSync(join(__dirname, 'README.md'), 'utf8')
const cells = (part: string): string[][] =>
  part
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| suite |'))
    .map((line) => line.slice(2, -2).split(' | '))

test('The page has the tests that are explained, and no other.', () => {
  const explained = page.split(/^## /m).find((part) => part.startsWith('Tests that pass'))!
  expect(cells(explained)).toEqual(
    EXPLAINED.map(({ suite, title, because, nodes }) => [suite, title, because, nodes?.join(', ') ?? 'all']),
  )
})

test('The page has a result of every suite on every version of Node, with as many failures as are explained.', () => {
  const results = cells(page.split(/^## Results/m)[1]!)
  const expected = VERSIONS.flatMap((version) => NAMES.map((name) => [name, version]))
  expect(results.map(([suite, version]) => [suite!.split(' ')[0], version])).toEqual(expected)
  for (const [suite = '', version = '', , , differ] of results) {
    const rows = EXPLAINED.filter(
      (row) => suite.startsWith(`${row.suite} `) && (row.nodes ?? VERSIONS).includes(version),
    )
    expect([suite, version, differ]).toEqual([suite, version, String(rows.length)])
  }
})
