/** How this arbiter was started, so that it can be started again: with whatever stands at these paths by then. */
import type { Origin } from '../generations/reloader.ts'

/**
 * The absolute path of Node, its options, and our own file as it was named: a link such as `current` leads to the version
 * of the day. What follows is the origin's `argv`.
 */
export type Command = readonly string[]

export const commandOfThisProcess = (): Command => [process.execPath, ...process.execArgv, process.argv[1]!]

/** The same, but of the files that run now, wherever links lead by then. */
export const exactCommand = (): Command => [process.execPath, ...process.execArgv, require.main!.filename]

export const whole = (command: Command, { argv }: Origin): readonly string[] => [...command, ...argv]
