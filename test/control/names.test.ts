import { isExact, matchNames } from '../../lib/control/names.ts'

const NAMES = ['ticker', 'worker:0', 'worker:1', 'worker:10', 'web', 'web:x', 'all-of-it']

describe('the name in a command', () => {
  it.each([
    ['ticker', ['ticker']],
    ['all', NAMES],
    ['worker', ['worker:0', 'worker:1', 'worker:10']],
    ['worker:*', ['worker:0', 'worker:1', 'worker:10']],
    ['worker:?', ['worker:0', 'worker:1']],
    ['w*', ['worker:0', 'worker:1', 'worker:10', 'web', 'web:x']],
    ['*1*', ['worker:1', 'worker:10']],
    ['web', ['web']],
    ['nobody', []],
    ['work', []],
    ['?', []],
    ['', []],
  ])('%s means %j', (wanted, expected) => {
    expect(matchNames(wanted, NAMES)).toEqual(expected)
  })

  it('is a companion rather than a word, where one is called so', () => {
    expect(matchNames('all', ['all', 'b'])).toEqual(['all'])
    expect(isExact('all', ['all', 'b'])).toBe(true)
    expect(isExact('all', ['b'])).toBe(false)
  })

  it('cannot be a glob that takes long', () => {
    expect(matchNames(`${'*a'.repeat(120)}b`, ['a'.repeat(64)])).toEqual([])
  })
})
