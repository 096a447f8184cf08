/** Turns that come late, as after SIGSTOP or in a container that was frozen: what `judge` is told of it. */
import { Loop, type Turn } from '../../lib/runtime/loop.ts'
import { type Ms, ms } from '../../lib/units.ts'
import { FakeKernel } from '../support/fake-kernel.ts'

/** Milliseconds from one deadline to the next. */
const WAIT = 60_000
const STOPPED = 5000

let kernel: FakeKernel
let loop: Loop
let gaps: number[]

afterEach(() => loop.close())

/** A loop with a deadline always the same time ahead of what was judged last, as that of a child that is heard. */
function start(part: Partial<Turn> = {}): void {
  kernel = new FakeKernel()
  gaps = []
  let next: Ms | null = null
  const none = () => {}
  const turn: Turn = {
    signalled: none,
    reaped: none,
    hear: none,
    reap: none,
    command: none,
    judge(now, gap) {
      gaps.push(gap)
      next = ms(now + WAIT)
    },
    deadline: () => next,
    reinstalled: none,
    failed(error) {
      throw error
    },
    ...part,
  }
  loop = new Loop(kernel, [], turn)
  loop.wake()
}

test('a turn that comes in time, or before, tells of no gap', () => {
  start()
  kernel.advance(WAIT)
  loop.wake()
  kernel.advance(10)
  loop.wake()
  expect(gaps).toEqual([0, 0, 0])
})

test('one that comes late tells how long ago the one before was: nobody knows when in between the stop began', () => {
  start()
  kernel.advance(WAIT + STOPPED)
  loop.wake()
  expect(gaps).toEqual([0, WAIT + STOPPED])
})

test('no deadline, no gap', () => {
  start({ deadline: () => null })
  kernel.advance(WAIT + STOPPED)
  loop.wake()
  expect(gaps).toEqual([0, 0])
})

test('a process that is stopped in the middle of a turn tells of it in the next', () => {
  let stopped = false
  start({
    command() {
      if (!stopped) kernel.advance(WAIT + STOPPED)
      stopped = true
    },
  })
  kernel.advance(1)
  loop.wake()
  expect(gaps).toEqual([0, WAIT + STOPPED + 1])
})

test('also where the next follows at once', () => {
  let stopped = false
  start({
    command() {
      if (stopped) return
      stopped = true
      kernel.advance(WAIT + STOPPED)
      loop.wake()
    },
  })
  expect(gaps).toEqual([0, WAIT + STOPPED])
})

test('a deadline that had passed when the turn began is no stop', () => {
  start({ deadline: (now) => ms(now - STOPPED) })
  kernel.advance(10)
  loop.wake()
  expect(gaps).toEqual([0, 0])
})
