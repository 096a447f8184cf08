import {
  clearSessions,
  forgetSession,
  notedSessions,
  noteSession,
  SESSIONS,
  SESSIONS_BYTES,
} from '../../lib/channel/sessions.ts'
import { pid } from '../../lib/units.ts'

describe('the page of sessions', () => {
  it('gives back what was noted, without what was forgotten', () => {
    const memory = new ArrayBuffer(SESSIONS_BYTES)
    noteSession(memory, { id: pid(10), start: 100 })
    noteSession(memory, { id: pid(11), start: 110 })
    forgetSession(memory, pid(10))
    noteSession(memory, { id: pid(12), start: 120 })
    expect(notedSessions(memory)).toEqual([
      { id: 12, start: 120 },
      { id: 11, start: 110 },
    ])
    clearSessions(memory)
    expect(notedSessions(memory)).toEqual([])
  })

  it('notes an id once', () => {
    const memory = new ArrayBuffer(SESSIONS_BYTES)
    noteSession(memory, { id: pid(10), start: 100 })
    noteSession(memory, { id: pid(10), start: 200 })
    expect(notedSessions(memory)).toEqual([{ id: 10, start: 200 }])
  })

  it('says when it is full', () => {
    const memory = new ArrayBuffer(SESSIONS_BYTES)
    for (let n = 0; n < SESSIONS; n++) expect(noteSession(memory, { id: pid(1000 + n), start: n })).toBe(true)
    expect(noteSession(memory, { id: pid(9), start: 9 })).toBe(false)
    forgetSession(memory, pid(1000))
    expect(noteSession(memory, { id: pid(9), start: 9 })).toBe(true)
  })

  it('believes no number that is no pid and no time that is none', () => {
    const memory = new ArrayBuffer(SESSIONS_BYTES)
    const pairs = new Float64Array(memory)
    pairs.set([1, 5, -7, 5, 2.5, 5, Number.NaN, 5, 2 ** 40, 5, 77, Number.NaN, 78, -1, 79, 5])
    expect(notedSessions(memory)).toEqual([{ id: 79, start: 5 }])
  })
})
