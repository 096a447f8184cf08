import {
  delayAfter,
  freshTally,
  judge,
  type RestartPolicy,
  type Tally,
  type Verdict,
} from '../../lib/supervision/restart.ts'
import { ms } from '../../lib/units.ts'
import { RESTART } from './support/policy.ts'

const code = (code: number) => ({ code, signal: null, core: false })
const KILLED = { code: null, signal: 'SIGKILL', core: false } as const
const NOW = ms(1_000_000)

/** The verdicts of that many failures in a row, one every `apart` milliseconds. */
function failing(times: number, wasGood: boolean, policy: RestartPolicy, apart = 0): Verdict[] {
  let tally: Tally = freshTally(1)
  return Array.from({ length: times }, (_, index) => {
    const given = judge(tally, { wasGood, exit: code(1) }, ms(NOW + index * apart), policy)
    tally = given.tally
    return given.verdict
  })
}

describe('autorestart', () => {
  test.each<[RestartPolicy['autorestart'], string, Parameters<typeof judge>[1]['exit'], string]>([
    ['always', 'an expected code', code(0), 'wait'],
    ['always', 'another code', code(3), 'wait'],
    ['always', 'a signal', KILLED, 'wait'],
    ['unexpected', 'an expected code', code(0), 'over'],
    ['unexpected', 'another expected code', code(2), 'over'],
    ['unexpected', 'another code', code(3), 'wait'],
    ['unexpected', 'a signal', KILLED, 'wait'],
    ['never', 'an expected code', code(0), 'over'],
    ['never', 'another code', code(3), 'over'],
    ['never', 'a signal', KILLED, 'over'],
  ])('%s, after an exit of a good one by %s', (autorestart, _title, exit, expected) => {
    const policy = { ...RESTART, autorestart, exitCodes: [0, 2] }
    expect(judge(freshTally(1), { wasGood: true, exit }, NOW, policy).verdict.kind).toBe(expected)
  })

  test('has no say in an exit before startsecs, nor where there never was a process', () => {
    const policy: RestartPolicy = { ...RESTART, autorestart: 'never' }
    expect(judge(freshTally(1), { wasGood: false, exit: code(0) }, NOW, policy).verdict.kind).toBe('wait')
    expect(judge(freshTally(1), { wasGood: false, exit: null }, NOW, policy).verdict.kind).toBe('wait')
  })
})

describe('the delay', () => {
  test('fixed is fixed, the first time too', () => {
    const policy: RestartPolicy = { ...RESTART, delay: { kind: 'fixed', delay: ms(5000) } }
    const expected = Array(3).fill({ kind: 'wait', until: NOW + 5000 })
    expect(failing(3, true, policy)).toEqual(expected)
    expect(failing(3, false, policy)).toEqual(expected)
  })

  test('exponential doubles up to its cap', () => {
    const waits = failing(7, false, RESTART).map((verdict) => verdict.kind === 'wait' && verdict.until - NOW)
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3000, 3000])
  })

  test('exponential answers the first failure of a good one at once, and no other', () => {
    const waits = failing(3, true, RESTART).map((verdict) => verdict.kind === 'wait' && verdict.until - NOW)
    expect(waits).toEqual([0, 200, 400])
  })

  test('jitter takes off up to its part, and never adds', () => {
    const delay = { kind: 'exponential', first: ms(1000), cap: ms(8000), jitter: 0.25 } as const
    expect(delayAfter(1, 0, delay)).toBe(1000)
    expect(delayAfter(1, 0.9999999, delay)).toBe(750)
    expect(delayAfter(400, 0, delay)).toBe(8000)
  })

  test('jitter differs from seed to seed, and is the same for the same seed', () => {
    const policy: RestartPolicy = {
      ...RESTART,
      delay: { kind: 'exponential', first: ms(9000), cap: ms(9000), jitter: 1 },
    }
    const until = (seed: number) => judge(freshTally(seed), { wasGood: false, exit: null }, NOW, policy).verdict
    expect(until(1)).toEqual(until(1))
    expect(new Set(Array.from({ length: 50 }, (_, seed) => JSON.stringify(until(seed)))).size).toBeGreaterThan(45)
  })
})

describe('giving up', () => {
  test('after startretries further boots that failed', () => {
    const kinds = failing(5, false, { ...RESTART, startretries: 3 }).map(({ kind }) => kind)
    expect(kinds).toEqual(['wait', 'wait', 'wait', 'fail', 'fail'])
  })

  test('startretries counts boots in a row: one that came good begins anew', () => {
    const policy = { ...RESTART, startretries: 1 }
    let tally = judge(freshTally(1), { wasGood: false, exit: code(1) }, NOW, policy).tally
    tally = judge(tally, { wasGood: true, exit: code(1) }, NOW, policy).tally
    expect(tally).toMatchObject({ boots: 0, failures: 2 })
    expect(judge(tally, { wasGood: false, exit: code(1) }, NOW, policy).verdict.kind).toBe('wait')
  })

  test('when the budget of the window is used up, crashes of good ones included', () => {
    const policy: RestartPolicy = { ...RESTART, budget: { failures: 2, window: ms(10_000), beyond: 'fail' } }
    expect(failing(3, true, policy, 4000).map(({ kind }) => kind)).toEqual(['wait', 'wait', 'fail'])
    expect(failing(9, true, policy, 5000).map(({ kind }) => kind)).toEqual(Array(9).fill('wait'))
  })

  test('or waits until the window has room again', () => {
    const policy: RestartPolicy = { ...RESTART, budget: { failures: 2, window: ms(60_000), beyond: 'wait' } }
    expect(failing(3, true, policy, 1000)[2]).toEqual({ kind: 'wait', until: NOW + 60_000 })
  })

  test('the window remembers no more than its budget needs', () => {
    const policy: RestartPolicy = { ...RESTART, budget: { failures: 2, window: ms(60_000), beyond: 'wait' } }
    let tally = freshTally(1)
    for (let crash = 0; crash < 50; crash++) tally = judge(tally, { wasGood: true, exit: code(1) }, NOW, policy).tally
    expect(tally.crashes).toHaveLength(3)
  })
})
