/** How this arbiter was started, so that it can be started again: with whatever stands at these paths by then. */
import type { Origin } from '../reloader.ts'

/**
 * `argv` is the whole vector; its first is the absolute path of Node. Our own file is named as it was then: a link such as
 * `current` leads to the version of the day.
 */
export const commandOf = ({ argv, cwd }: Origin): { readonly argv: readonly string[]; readonly cwd: string } => ({
  argv: [process.execPath, ...process.execArgv, process.argv[1]!, ...argv],
  cwd,
})
