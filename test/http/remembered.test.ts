import { type Head, parseHead } from '../../lib/http/parser/head.ts'
import { rulesOf } from '../../lib/http/parser/rules.ts'
import { Random } from '../support/random.ts'
import { replay } from './replay.ts'

const LINES = [
  'Host: shop.example.com',
  'Connection: keep-alive',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Accept:*/*',
  'Content-Type: text/plain',
  'X_Y: z',
  'X-Blank: ',
  'Cookie: session=1',
]

const headOf = (lines: readonly string[], target = '/'): Buffer =>
  Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1')

const parse = (bytes: Buffer, rules = rulesOf()) => parseHead(bytes, 0, bytes.length, rules)

/** Byte by byte no line is ever whole when it is looked for, so that nothing can be remembered. */
const slowly = (bytes: Buffer) =>
  replay(
    bytes,
    {},
    Array.from({ length: bytes.length - 1 }, (_, index) => index + 1),
  )

/** So that each line is remembered at each offset within a word. */
function warm(lines: readonly string[]): void {
  for (let round = 0; round < 12; round++) parse(headOf(lines, `/${'a'.repeat(round)}`))
}

test('lines that came before give what they gave', () => {
  const first = parse(headOf(LINES)) as Head
  for (let round = 0; round < 50; round++) {
    const again = parse(headOf(LINES, `/${'a'.repeat(round % 9)}`)) as Head
    expect(again.rawHeaders).toEqual(first.rawHeaders)
    expect(again.rawHeaders).not.toBe(first.rawHeaders)
  }
})

test('a line that differs from a remembered one in any byte is judged by itself', () => {
  warm(LINES)
  const bytes = headOf(LINES)
  const bytesToTry = ['\0', '\t', ' ', '\r', '\n', ':', 'a', 'Z', '_', '\x7f', '\xe9']
  for (let at = 0; at < bytes.length; at++) {
    for (const byte of bytesToTry) {
      const changed = Buffer.from(bytes)
      changed.write(byte, at, 'latin1')
      expect(replay(changed, {})).toEqual(slowly(changed))
    }
  }
})

test('a line that is cut off or goes on is not a remembered one', () => {
  warm(LINES)
  for (let line = 0; line < LINES.length; line++) {
    for (const text of [LINES[line]!.slice(0, -1), `${LINES[line]}x`, `${LINES[line]}\r\n folded`]) {
      const changed = headOf(LINES.with(line, text))
      expect(replay(changed, {})).toEqual(slowly(changed))
    }
  }
})

test('remembered lines obey the rules of the server that reads them', () => {
  warm(LINES)
  const limits = { limitRequestLine: 0, limitRequestHead: 65536, limitRequestBody: 0 }
  const few = rulesOf({ limits: { ...limits, limitRequestFields: 3, limitRequestFieldSize: 0 } })
  const short = rulesOf({ limits: { ...limits, limitRequestFields: 0, limitRequestFieldSize: 60 } })
  expect(parse(headOf(LINES), few)).toMatchObject({ error: { code: 'TOO_MANY_FIELDS' } })
  expect(parse(headOf(LINES), short)).toMatchObject({ error: { code: 'FIELD_TOO_LARGE' } })
  expect(parse(headOf(LINES), rulesOf({ headerMap: 'refuse' }))).toMatchObject({
    error: { code: 'FIELD_NAME_UNDERSCORE' },
  })
  expect((parse(headOf(LINES), rulesOf({ headerMap: 'drop' })) as Head).rawHeaders).not.toContain('X_Y')
  expect(parse(headOf([...LINES, LINES[0]!]))).toMatchObject({ error: { code: 'HOST_REPEATED' } })
  expect(parse(headOf([...LINES, LINES[4]!]))).toMatchObject({ error: { code: 'CONTENT_TYPE_REPEATED' } })
})

test('thousands of names and values replace each other and are never mistaken', () => {
  const random = new Random(5)
  const text = (length: number) => Array.from({ length }, () => random.pick(['a', 'b', 'A', '-', '1'])).join('')
  const lines = Array.from({ length: 4000 }, () => `X${text(random.below(5))}: ${text(1 + random.below(6))}`)
  for (let round = 0; round < 6000; round++) {
    const some = ['Host: a', ...Array.from({ length: 6 }, () => random.pick(lines))]
    const { rawHeaders } = parse(headOf(some, `/${text(random.below(4))}`)) as Head
    expect(rawHeaders).toEqual(some.flatMap((line) => line.split(': ')))
  }
})
