import { count, countOr, duration, mode, size } from '../../lib/config/codecs/numbers.ts'
import { judge, judgeText, refusal } from './judge.ts'

describe('a count', () => {
  test('includes its bounds and nothing beyond', () => {
    const codec = count(1, 10)
    expect([judge(codec, 1), judge(codec, 10), judgeText(codec, '7')]).toEqual([1, 10, 7])
    for (const wrong of [0, 11, 1.5, Number.NaN, '7', true, null, [7], {}]) {
      expect(refusal(codec, wrong)).toMatch(/allowed: a whole number from 1 to 10$/)
    }
    for (const wrong of ['', ' ', '7x', '0x7', '1e1', '7.5', '-7'])
      expect(refusal(codec, codec.parse(wrong))).toMatch(/got /)
  })

  test('may be a word instead', () => {
    const codec = countOr(1, 10, 'auto')
    expect([judge(codec, 'auto'), judgeText(codec, '3'), judge(codec, 3)]).toEqual(['auto', 3, 3])
    expect(refusal(codec, 'automatic')).toBe('x: got "automatic"; allowed: a whole number from 1 to 10, or "auto"')
  })
})

describe('a duration', () => {
  test.each([
    [0, 0],
    [0.5, 500],
    [30, 30_000],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['5 m', 300_000],
  ])('%j is %i ms', (value, expected) => {
    expect(judge(duration(), value)).toBe(expected)
  })

  test.each([[-1, '-1s', '25h', '5', '5 minutes', 'm', '', '1m30s', Number.NaN, null, true]].flat())(
    'refuses %j',
    (value) => {
      expect(refusal(duration(), value)).toMatch(/allowed: a duration from 0 up to 24h/)
    },
  )

  test('is a number of seconds as a flag, too', () => {
    expect([judgeText(duration(), '2'), judgeText(duration(), '0.5'), judgeText(duration(), '2s')]).toEqual([
      2000, 500, 2000,
    ])
  })

  test('may have to be more than nothing', () => {
    expect(refusal(duration('more than nothing'), 0)).toMatch(/above 0/)
    expect(judge(duration('more than nothing'), 0.001)).toBe(1)
  })

  test.each([0, 1, 999, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000])(
    'of %i ms is written so that it reads the same',
    (value) => {
      const codec = duration()
      expect(judge(codec, codec.format(value as never))).toBe(value)
    },
  )
})

describe('a size', () => {
  const codec = size(64, 1024 ** 3)

  test.each([
    [64, 64],
    ['16kb', 16_384],
    ['16KB', 16_384],
    ['16k', 16_384],
    ['16KiB', 16_384],
    ['0.5mb', 524_288],
    ['1gb', 1024 ** 3],
    ['100b', 100],
  ])('%j is %i bytes', (value, expected) => {
    expect(judge(codec, value)).toBe(expected)
  })

  test.each([[63, '2gb', 64.5, '16', '16tb', '', 'kb', null]].flat())('refuses %j', (value) => {
    expect(refusal(codec, value)).toMatch(/allowed: a size from 64 to 1gb/)
  })

  test.each([64, 100, 1024, 1536, 1024 ** 2, 1024 ** 3])(
    'of %i bytes is written so that it reads the same',
    (value) => {
      expect(judge(codec, codec.format(value))).toBe(value)
    },
  )
})

describe('permission bits', () => {
  test('are octal as text and what they are as a number', () => {
    const codec = mode()
    expect([judge(codec, 0o22), judge(codec, '022'), judge(codec, '0o022'), judgeText(codec, '22')]).toEqual([
      18, 18, 18, 18,
    ])
    for (const wrong of [0o1000, -1, 1.5, '088', '1777', 'rw', '', null])
      expect(refusal(codec, wrong)).toMatch(/permission bits/)
    expect(codec.format(0o22)).toBe('0022')
  })
})
