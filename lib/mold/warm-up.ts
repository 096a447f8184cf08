/** Makes Node open what it opens for itself sooner or later, so that none of it is taken for the app's. */
import { stat } from 'node:fs'

export function warmUp(): void {
  // The streams for 1 and 2: a pipe or terminal handle each.
  void process.stdout
  void process.stderr
  // The threads of libuv's pool, all at once; a fork starts new ones.
  stat('/', () => undefined)
}
