/** Makes Node open what it opens for itself sooner or later, so that none of it is taken for the app's. */
import { stat } from 'node:fs'

/** `streams`: those for 1 and 2 as well, a pipe or terminal handle each. */
export function warmUp(streams: boolean): void {
  if (streams) {
    void process.stdout
    void process.stderr
  }
  // The threads of libuv's pool, all at once; a fork starts new ones.
  stat('/', () => undefined)
}
