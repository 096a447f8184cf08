import type { HookCall } from '../../lib/arbiter/hooks/calls.ts'
import { HookQueue, MOST_WAITING } from '../../lib/arbiter/hooks/queue.ts'
import { ms } from '../../lib/units.ts'

const SERVER = { pid: 1, generation: 1, workers: 1 }
const CALL: HookCall = { hook: 'onReload', args: [SERVER] }
const LATER = ms(100)

test('One call runs at a time, and an answer to another one means nothing.', () => {
  const queue = new HookQueue()
  const first = queue.push(CALL)!
  const second = queue.push(CALL)!
  expect(queue.next(LATER)?.id).toBe(first.id)
  expect(queue.next(LATER)).toBeNull()
  expect(queue.settle(second.id)).toBeNull()
  expect(queue.settle(first.id)?.id).toBe(first.id)
  expect(queue.next(LATER)?.id).toBe(second.id)
})

test('Beyond the limit calls are refused, until there is room again.', () => {
  const queue = new HookQueue()
  for (let n = 0; n < MOST_WAITING; n++) expect(queue.push(CALL)).not.toBeNull()
  expect(queue.push(CALL)).toBeNull()
  queue.next(LATER)
  expect(queue.push(CALL)).not.toBeNull()
})

test('Whoever waits is told once: by the answer, by the time, by a process that ends, or when calls are dropped.', () => {
  const queue = new HookQueue()
  const told: string[] = []
  const push = (name: string, until: number) => queue.push(CALL, ms(until), () => told.push(name))!
  const answered = push('answered', 50)
  push('cut', 50)
  push('expired', 20)
  push('dropped', 90)
  queue.next(LATER)
  queue.settle(answered.id)
  queue.next(LATER)
  expect(queue.expired(ms(20))).toHaveLength(1)
  expect(queue.stuck(ms(99))).toBeNull()
  expect(queue.stuck(LATER)).not.toBeNull()
  queue.cut()
  queue.drop()
  expect(queue.cut()).toBeNull()
  expect(told).toEqual(['answered', 'expired', 'cut', 'dropped'])
  expect(queue.isEmpty).toBe(true)
})

test('The deadline is the first of what runs and what waits.', () => {
  const queue = new HookQueue()
  expect(queue.deadline()).toBeNull()
  queue.push(CALL)
  expect(queue.deadline()).toBeNull()
  queue.next(LATER)
  expect(queue.deadline()).toBe(LATER)
  queue.push(CALL, ms(30))
  expect(queue.deadline()).toBe(30)
  queue.postpone(ms(5))
  expect(queue.deadline()).toBe(35)
  expect(queue.expired(ms(34))).toEqual([])
  expect(queue.expired(ms(35))).toHaveLength(1)
  expect(queue.deadline()).toBe(105)
})
