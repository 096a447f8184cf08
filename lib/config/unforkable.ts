/** Options of Node that a process cannot have which is forked. Pure. */

const UNFORKABLE: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^--(inspect|debug-port)/, 'the inspector would be that of all of them; the setting inspect opens one in each'],
  [/^--(no-?single-threaded$|single-threaded=)/, 'V8 would have threads, which a fork does not copy'],
  [/^--cpu-prof/, 'the profiler has a thread, which a fork does not copy'],
]

/** The first of them with the reason why a process that has it cannot be forked; null: all can be had. */
export function unforkable(options: readonly string[]): string | null {
  for (const option of options) {
    // V8 takes both spellings.
    const name = option.replaceAll('_', '-')
    const found = UNFORKABLE.find(([pattern]) => pattern.test(name))
    if (found) return `"${option}", which cannot be used with preload: ${found[1]}`
  }
  return null
}
