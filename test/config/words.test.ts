import { nearest } from '../../lib/config/near.ts'
import { splitWords } from '../../lib/config/words.ts'

test.each<[string, string[]]>([
  ['', []],
  ['  -w  4\t--preload\n', ['-w', '4', '--preload']],
  [`--name 'a b' "c d"`, ['--name', 'a b', 'c d']],
  [`-e A="b c"'d'e`, ['-e', 'A=b cde']],
  [`'' ""`, ['', '']],
  [String.raw`a\ b \" 'a\b' "a\"b\c\\"`, ['a b', '"', String.raw`a\b`, String.raw`a"b\c` + '\\']],
  ['$HOME `x` *', ['$HOME', '`x`', '*']],
])('a shell would split %j into the same words', (text, words) => {
  expect(splitWords(text)).toEqual(words)
})

test('a quote that is not closed is no words at all', () => {
  expect([splitWords(`a 'b`), splitWords('a "b'), splitWords(`"a\\"`)]).toEqual([null, null, null])
})

describe('what was perhaps meant', () => {
  const names = ['workers', 'timeout', 'gracefulTimeout', 'keepalive', 'bind', 'env', 'user', 'umask']

  test.each([
    ['worker', 'workers'],
    ['timout', 'timeout'],
    ['tiemout', 'timeout'],
    ['graceful_timeout', 'gracefulTimeout'],
    ['keep-alive', 'keepalive'],
    ['Bind', 'bind'],
    ['evn', 'env'],
  ])('by %s is %s', (given, meant) => {
    expect(nearest(given, names)).toBe(meant)
  })

  test.each(['port', 'x', '', 'completely-different'])('by %j is nothing', (given) => {
    expect(nearest(given, names)).toBeNull()
  })
})
