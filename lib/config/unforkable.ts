/** Options of Node that a process cannot have which is forked. Pure. */
import { type Environment, NODE_OPTIONS_VARIABLE } from './environment.ts'
import type { Merged } from './merge.ts'
import type { Problem, Source } from './problems.ts'

const UNFORKABLE: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^--(inspect|debug-port)/, 'the inspector would be that of all of them; the setting inspect opens one in each'],
  [/^--(no-?single-threaded$|single-threaded=)/, 'V8 would have threads, which a fork does not copy'],
  [/^--(cpu-prof|prof$)/, 'the profiler has a thread, which a fork does not copy'],
  [/^--trace-event/, 'the events are written by a thread, which a fork does not copy'],
  [/^--(experimental-)?loader($|=)/, 'the loader has a thread, which a fork does not copy'],
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

/** Where workers would have such options with `preload`. `env`: the environment of monoceros. */
export function unforkableWorkers({ config, sources }: Merged, env: Environment): Problem[] {
  if (!config.preload) return []
  const own = config.env.NODE_OPTIONS
  const variable: Source = { kind: 'env', variable: 'NODE_OPTIONS' }
  const inherited = env[NODE_OPTIONS_VARIABLE] ?? env.NODE_OPTIONS ?? ''
  const lists = [
    { key: 'nodeOptions', source: sources.nodeOptions, options: config.nodeOptions },
    own === undefined
      ? { key: null, source: variable, options: inherited.split(/\s+/) }
      : { key: 'env.NODE_OPTIONS', source: sources.env, options: own.split(/\s+/) },
  ]
  return lists.flatMap(({ key, source, options }) => {
    const option = unforkable(options)
    return option === null ? [] : [{ key, source, text: `has ${option}` }]
  })
}
