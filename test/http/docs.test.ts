import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERRORS } from '../../lib/http/errors.ts'
import { ACCEPTED_HERE, OTHERWISE, REFUSED_HERE } from './cases/node-differences.ts'

const page = readFileSync(join(__dirname, '../../docs/http.md'), 'utf8')
const section = page.split(/^## /m).find((part) => part.startsWith('What is refused, and why'))!
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))

test('the page names every error of the table with its status and text, in the order of the table', () => {
  const documented = rows.map(([code, status, text]) => [code, status, text])
  expect(documented).toEqual(Object.entries(ERRORS).map(([code, row]) => [`\`${code}\``, String(row.status), row.text]))
})

test('the page gives a reason for every error, and a section of an RFC or a setting for most', () => {
  expect(rows.filter(([, , , why]) => (why ?? '').length < 8)).toEqual([])
  const grounded = rows.filter(([, , , why]) => /RFC 9\d\d\d §\d|`[a-zA-Z]+`|PROXY protocol/.test(why!))
  expect(rows.filter((row) => !grounded.includes(row)).map(([code]) => code)).toEqual(['`CHUNK_EXTENSIONS_TOO_LARGE`'])
})

test("the page lists every difference of the parser from Node's, with its reason, and no other", () => {
  const [, documented = ''] = page.split('### What only one of the two refuses')
  const lines = documented
    .split('\n')
    .filter((line) => /^\| .+ \| .+ \| .+ \|$/.test(line) && !line.endsWith('| by |'))
    .map((line) => line.slice(2, -2).split(' | '))
  const listed = [REFUSED_HERE, ACCEPTED_HERE, OTHERWISE].flatMap((rows) => Object.entries(rows))
  expect(lines).toEqual(
    listed.map(([name, { why, by, until }]) => [
      /^[a-z]/.test(name) ? name : `\`${name}\``,
      until === undefined ? why : `${why} (until Node ${until})`,
      by,
    ]),
  )
})
