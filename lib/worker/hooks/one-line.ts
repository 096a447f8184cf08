/** What somebody's code has thrown, in one line. */
import { inspect } from 'node:util'

const LONGEST = 500

export const oneLine = (error: unknown): string => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : inspect(error)
  return (text.split('\n', 1)[0] ?? '').slice(0, LONGEST)
}

/** The same, and where that was. */
export const oneLineWithPlace = (error: unknown): string => {
  const stack = error instanceof Error ? String(error.stack) : ''
  const place = /^ +at (.+)$/m.exec(stack)?.[1]
  return place === undefined ? oneLine(error) : `${oneLine(error)} (at ${place.slice(0, LONGEST)})`
}
