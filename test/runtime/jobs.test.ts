import { Jobs } from '../../lib/runtime/jobs.ts'

test('A job wakes the loop, and runs once, in the order in which it came.', () => {
  const happened: string[] = []
  const jobs = new Jobs(() => happened.push('woken'), fail)
  jobs.add(() => happened.push('first'))
  jobs.add(() => happened.push('second'))
  jobs.run()
  jobs.run()
  expect(happened).toEqual(['woken', 'woken', 'first', 'second'])
})

test('What a job asks for runs in the next turn.', () => {
  const happened: string[] = []
  const jobs = new Jobs(() => undefined, fail)
  jobs.add(() => jobs.add(() => happened.push('later')))
  jobs.run()
  expect(happened).toEqual([])
  jobs.run()
  expect(happened).toEqual(['later'])
})

test('A job that throws is told, and the next ones run.', () => {
  const happened: unknown[] = []
  const jobs = new Jobs(
    () => undefined,
    (error) => happened.push(error),
  )
  jobs.add(() => {
    throw 'broken'
  })
  jobs.add(() => happened.push('next'))
  jobs.run()
  expect(happened).toEqual(['broken', 'next'])
})

const fail = (error: unknown): never => {
  throw error
}
