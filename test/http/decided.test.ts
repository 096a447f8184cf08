import { HTTP_ERRORS, type HttpErrorCode } from '../../lib/http/errors.ts'
import { DECIDED, OWN_CASES } from './cases/index.ts'
import { cutsOf } from './cuts.ts'
import { replay } from './replay.ts'

const rows = OWN_CASES.map((ownCase) => [`${ownCase.question}: ${ownCase.title}`, ownCase] as const)

test.each(rows)('%s', (_title, ownCase) => {
  const replayed = replay(Buffer.from(ownCase.raw, 'latin1'), ownCase.options ?? {})
  expect(replayed.error).toBe(ownCase.error ?? null)
  if (ownCase.requests !== undefined) {
    expect(replayed.requests).toHaveLength(ownCase.requests.length)
    for (const [index, expected] of ownCase.requests.entries()) expect(replayed.requests[index]).toMatchObject(expected)
    if (ownCase.error === undefined) expect(replayed.requests.every((request) => request.complete)).toBe(true)
  }
  if (ownCase.proxy !== undefined) {
    const source = replayed.proxy!.source
    expect(source === null ? null : `${source.address}:${source.port}`).toBe(ownCase.proxy)
  }
})

test.each(rows)('%s (the same however it is cut)', (_title, ownCase) => {
  const raw = Buffer.from(ownCase.raw, 'latin1')
  const whole = replay(raw, ownCase.options ?? {})
  for (const cuts of cutsOf(raw.length, 2)) expect(replay(raw, ownCase.options ?? {}, cuts)).toEqual(whole)
})

test('every question has cases, and no two cases have one title', () => {
  expect(Object.entries(DECIDED).filter(([, cases]) => cases.length === 0)).toEqual([])
  const titles = rows.map(([title]) => title)
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
})

test('every error that bytes can be has a case of our own', () => {
  const covered = new Set(OWN_CASES.map((ownCase) => ownCase.error))
  const codes = Object.keys(HTTP_ERRORS) as HttpErrorCode[]
  expect(codes.filter((code) => HTTP_ERRORS[code].by === 'bytes' && !covered.has(code))).toEqual([])
})

test('no answer shows anything but its constant text', () => {
  for (const row of Object.values(HTTP_ERRORS)) {
    expect(row.text).toMatch(/^[A-Z][ -~]{10,90}\.$/)
    expect(Object.isFrozen(row)).toBe(true)
  }
})
