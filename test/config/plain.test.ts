import { Foreign, show } from '../../lib/config/foreign.ts'
import { fromPlain, toPlain } from '../../lib/config/plain.ts'
import { HOOK_SETTINGS, HOOKS, WORKER_HOOKS } from '../../lib/config/settings/hooks.ts'
import { judge } from './judge.ts'

/** There and back, as between two processes. */
const cross = (value: unknown): unknown => fromPlain(JSON.parse(JSON.stringify(toPlain(value))))

test('plain data crosses unchanged, and what is undefined is left out', () => {
  const value = { a: [1, 'x', true, null, { b: [] }], c: { d: -0.5 } }
  expect(cross(value)).toEqual(value)
  expect(Object.keys(cross({ a: undefined, b: 1 }) as object)).toEqual(['b'])
  expect(cross(undefined)).toEqual(new Foreign('a undefined'))
})

test('what is no plain data crosses as a name of what it is', () => {
  class Thing {}
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const value = {
    f: () => 1,
    list: [Symbol('x'), 5n, Number.NaN],
    date: new Thing(),
    cycle,
    more: { g: async () => 1 },
  }
  const crossed = cross(value) as Record<string, unknown>
  expect(show({ ...crossed, date: 0, cycle: 0 })).toBe(
    '{"f":"a function","list":["a symbol","a bigint","NaN"],"date":0,"cycle":0,"mo...',
  )
  expect(show(crossed.date)).toBe('an object of class Thing')
  expect(show((crossed.cycle as { self: unknown }).self)).toBe('an object that contains itself')
  expect((crossed.more as { g: unknown }).g).toEqual(new Foreign('function'))
})

test('the same object twice is no cycle', () => {
  const shared = { a: 1 }
  expect(cross({ x: shared, y: [shared, shared] })).toEqual({ x: { a: 1 }, y: [{ a: 1 }, { a: 1 }] })
})

describe('hooks', () => {
  const { type } = HOOK_SETTINGS.hooks

  test('are known by name, in the order of a life', () => {
    expect(judge(type, cross({ onExit() {}, onStarting: async () => undefined }))).toEqual(['onStarting', 'onExit'])
    const all = [...HOOKS, ...WORKER_HOOKS]
    expect(judge(type, cross(Object.fromEntries(all.map((name) => [name, () => 0]))))).toEqual(all)
  })

  test('are functions with names that exist', () => {
    expect(judge(type, cross({ onExit: 'exit.js', onStart() {} }))).toEqual([
      'x.onExit: got "exit.js"; allowed: a function',
      expect.stringMatching(/^x.onStart: no such setting; did you mean "onStarting"\?$/),
    ])
  })
})
