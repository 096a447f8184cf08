/** Waiting for something that only looking can tell: a file's content, another process's answer. */
import { GUARD } from './process.ts'

/** Between two looks, in milliseconds. */
const LOOK_EVERY = 10

/** Looks again and again until it holds; fails when it does not within the guard. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + GUARD
  while (!(await condition())) {
    if (performance.now() > late) throw new Error(`did not come true within ${GUARD} ms: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
  }
}
