/** Which mold is whose, and how they are counted. */
import { Roster } from '../../lib/arbiter/molds/roster.ts'
import { pid } from '../../lib/units.ts'

const [one, two, three] = [7, 8, 9].map((number) => ({ pid: pid(number) })) as [Mold, Mold, Mold]
const [old, next] = [{ name: 'old' }, { name: 'next' }]
type Mold = { readonly pid: ReturnType<typeof pid> }

const roster = (): Roster<object, Mold> => {
  const all = new Roster<object, Mold>()
  all.set(old, one)
  return all
}

test('the first of a generation is number 1, in each of them', () => {
  const all = roster()
  expect(all.set(next, two)).toBeUndefined()
  expect([one, two].map((mold) => all.numberOf(mold))).toEqual([1, 1])
  expect([all.of(old), all.of(next)]).toEqual([one, two])
  expect([one, two, three].map((mold) => all.generationOf(mold))).toEqual([old, next, undefined])
  expect(all.numberOf(three)).toBeUndefined()
})

test('one that follows has its number before it takes the place, and the one before is to end then', () => {
  const all = roster()
  all.number(two, old)
  expect([all.numberOf(two), all.of(old), all.find(two.pid)]).toEqual([2, one, undefined])
  expect(all.set(old, two)).toBe(one)
  expect([all.current, all.all]).toEqual([[two], [two, one]])
  expect([one, two].map((mold) => all.isEnding(mold))).toEqual([true, false])
  expect(all.generationOf(one)).toBeUndefined()
  all.number(three, old)
  expect(all.numberOf(three)).toBe(3)
})

test('one that was told to end is nobody’s, and is found until it was reaped', () => {
  const all = roster()
  all.end(one)
  expect([all.of(old), all.current, all.find(one.pid)]).toEqual([undefined, [], one])
  expect(all.remove(one)).toBe(true)
  expect([all.find(one.pid), all.all]).toEqual([undefined, []])
})

test('one that ends by itself was not told; the generation counts from 1 again', () => {
  const all = roster()
  all.number(two, old)
  all.set(old, two)
  expect(all.remove(two)).toBe(false)
  expect(all.of(old)).toBeUndefined()
  all.set(old, three)
  expect(all.numberOf(three)).toBe(1)
  expect(all.all).toEqual([three, one])
})
