/** The small pure parts of a worker. */
import { BEGUN, HOOK } from '../../lib/channel/command.ts'
import { exportTarget } from '../../lib/worker/app/address.ts'
import { isReady, START } from '../../lib/worker/app/readiness.ts'
import { forgetOptions } from '../../lib/worker/exec-argv.ts'
import { listenError } from '../../lib/worker/listen/error.ts'
import { watchRequests } from '../../lib/worker/request-limit.ts'
import { sumOf } from '../../lib/worker/responses/counts.ts'

describe('a worker is ready', () => {
  const state = { ...START, waitReady: false }

  it('when it listens and its module was evaluated, or has been at it for a while', () => {
    expect(isReady({ ...state, listening: true })).toBe(false)
    expect(isReady({ ...state, evaluated: true })).toBe(false)
    expect(isReady({ ...state, listening: true, evaluated: true })).toBe(true)
    expect(isReady({ ...state, listening: true, settled: true })).toBe(true)
  })

  it('when it says so, where that is waited for, and not before', () => {
    const waiting = { ...state, waitReady: true }
    expect(isReady({ ...waiting, listening: true, evaluated: true, settled: true })).toBe(false)
    expect(isReady({ ...waiting, said: true })).toBe(true)
  })
})

describe('maxRequests', () => {
  afterEach(() => void jest.useRealTimers())

  it('asks once, within the jitter, and never when it is 0', () => {
    jest.useFakeTimers()
    const limits = Array.from({ length: 200 }, () => {
      const reasons: string[] = []
      let requests = 0
      watchRequests(
        { maxRequests: 10, maxRequestsJitter: 5 },
        () => requests,
        (reason) => reasons.push(reason),
      )
      for (requests = 1; requests <= 20; requests++) jest.advanceTimersByTime(100)
      expect(reasons).toHaveLength(1)
      return Number.parseInt(reasons[0]!, 10)
    })
    expect(Math.min(...limits)).toBe(10)
    expect(Math.max(...limits)).toBe(15)
    const never = jest.fn()
    watchRequests({ maxRequests: 0, maxRequestsJitter: 5 }, () => 1e9, never)
    jest.advanceTimersByTime(1_000)
    expect(never).not.toHaveBeenCalled()
  })
})

describe("the app's process.execArgv", () => {
  it('has nothing of ours, and all of its own', () => {
    const line = ['--require', HOOK, '--require', './apm.js', '--import', 'x', '--import', BEGUN]
    expect(forgetOptions(line)).toBe(true)
    expect(line).toEqual(['--require', './apm.js', '--import', 'x'])
    expect(forgetOptions(line)).toBe(false)
    expect(line).toHaveLength(4)
  })
})

describe('an export without bind', () => {
  const local = { kind: 'tcp', host: '127.0.0.1', port: 8000 } as const

  it('is served where the arbiter says, or on the PORT that the worker alone knows', () => {
    expect(exportTarget(local, undefined)).toEqual({ host: '127.0.0.1', port: 8000 })
    expect(exportTarget(local, '')).toEqual({ host: '127.0.0.1', port: 8000 })
    expect(exportTarget(local, '3001')).toEqual({ host: '0.0.0.0', port: 3001 })
    expect(exportTarget(local, '99999')).toEqual({ host: '127.0.0.1', port: 8000 })
  })
})

describe('counts', () => {
  it('are added up over servers', () => {
    const one = { requests: 3, active: 1, connections: 2, classes: [0, 1, 0, 2, 0] } as const
    expect(sumOf([])).toEqual({ requests: 0, active: 0, connections: 0, classes: [0, 0, 0, 0, 0] })
    expect(sumOf([one, one])).toEqual({ requests: 6, active: 2, connections: 4, classes: [0, 2, 0, 4, 0] })
  })
})

describe('the error of listen', () => {
  const calls = { from: () => undefined, within: () => undefined }

  it("is Node's, also for an errno that this machine does not know", () => {
    expect(listenError({ code: 'EACCES', message: '' }, '/run/a', -1, calls)).toMatchObject({
      message: 'listen EACCES: permission denied /run/a',
      code: 'EACCES',
      errno: -13,
      syscall: 'listen',
      address: '/run/a',
      port: -1,
    })
    expect(listenError({ code: 'ETIMEDOUT', message: 'x' }, null, 80, calls).message).toBe(
      'listen ETIMEDOUT: connection timed out :::80',
    )
    expect(listenError({ code: 'EWHAT', message: 'x' }, null, 80, calls)).toMatchObject({ code: 'EWHAT', errno: -22 })
  })
})
