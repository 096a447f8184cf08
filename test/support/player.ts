/** Plays one scene (`scenes.ts`): exits with 0 when it has ended and nothing holds the event loop any more. */
import type { Scenes } from './scenes.ts'

const [file, title] = process.argv.slice(2) as [string, string]
const scenes = Object.values(require(file) as Record<string, Scenes>).find((table) => title in table)!
// A scene that waits for what never comes leaves an empty loop behind, and must not pass.
process.exitCode = 1
Promise.resolve(scenes[title]!()).then(
  () => {
    process.exitCode = 0
  },
  (error: unknown) => console.error(error),
)
