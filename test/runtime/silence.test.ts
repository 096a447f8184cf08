/** Molds that owe an answer: when it is told that they do not give it, and when they are taken for hanging. */
import { HANGS, LATE, Silence } from '../../lib/runtime/silence.ts'
import { ms } from '../../lib/units.ts'

const NONE = ms(0)
const mold = { said: 0 }
const other = { said: 0 }

const begin = (): Silence<{ said: number }> => {
  mold.said = 3
  const silence = new Silence<{ said: number }>()
  expect(silence.deadline([mold], ms(1000))).toBe(1000 + LATE)
  return silence
}

test('one that does not answer is told once, and hangs once', () => {
  const silence = begin()
  expect(silence.judge([mold], ms(999 + LATE), NONE)).toEqual([])
  expect(silence.judge([mold], ms(1000 + LATE), NONE)).toEqual([{ mold, how: 'late' }])
  expect(silence.judge([mold], ms(1000 + LATE), NONE)).toEqual([])
  expect(silence.deadline([mold], ms(5000))).toBe(1000 + HANGS)
  expect(silence.judge([mold], ms(1000 + HANGS), NONE)).toEqual([{ mold, how: 'hangs' }])
  expect(silence.judge([mold], ms(1000 + 2 * HANGS), NONE)).toEqual([])
  expect(silence.deadline([mold], ms(1000 + 2 * HANGS))).toBeNull()
})

test('each word of it begins the wait anew, and so does the next question', () => {
  const silence = begin()
  mold.said++
  expect(silence.deadline([mold], ms(2000))).toBe(2000 + LATE)
  expect(silence.deadline([], ms(2500))).toBeNull()
  expect(silence.deadline([mold], ms(3000))).toBe(3000 + LATE)
})

test('it is told again when it was late, has answered, and is late again', () => {
  const silence = begin()
  expect(silence.judge([mold], ms(1000 + LATE), NONE)).toHaveLength(1)
  mold.said++
  expect(silence.judge([mold], ms(4000), NONE)).toEqual([])
  expect(silence.judge([mold], ms(4000 + LATE), NONE)).toEqual([{ mold, how: 'late' }])
})

test('the time in which nobody ran does not count, however long it was', () => {
  const silence = begin()
  expect(silence.judge([mold], ms(61_000), ms(59_000))).toEqual([])
  expect(silence.deadline([mold], ms(61_000))).toBe(60_000 + LATE)
  expect(silence.judge([mold, other], ms(61_500), ms(1_000_000))).toEqual([])
  expect(silence.deadline([mold, other], ms(61_500))).toBe(61_500 + LATE)
})
