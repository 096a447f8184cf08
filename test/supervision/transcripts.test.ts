import { CompanionsActor } from './support/companions-actor.ts'
import { PoolActor } from './support/pool-actor.ts'
import { replay, transcripts } from './support/transcript.ts'

const title = (name: string) => name.replace(/\.txt$/, '').replaceAll('-', ' ')

test.each(transcripts('pool').map((name) => [title(name), name]))('%s, as recorded', (_title, name) => {
  const { recorded, played } = replay(name, new PoolActor())
  expect(played).toBe(recorded)
})

test.each(transcripts('companions').map((name) => [title(name), name]))('%s, as recorded', (_title, name) => {
  const { recorded, played } = replay(name, new CompanionsActor())
  expect(played).toBe(recorded)
})
