/** What environment variables say about settings. Pure. */

import type { ListenerAddress } from '../kernel/kernel.ts'
import { parseAddress } from './address.ts'
import { type CommandLine, parseFlags } from './flags.ts'
import type { Statement } from './merge.ts'
import type { Problem, Source } from './problems.ts'
import { SETTING_NAMES, SETTINGS } from './settings.ts'
import { splitWords } from './words.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Holds flags, as on the command line; the command line's own come after it. */
export const ARGUMENTS_VARIABLE = 'MONOCEROS_CMD_ARGS'

/**
 * Holds the NODE_OPTIONS that monoceros was started with: they are meant for workers, companions and the config file, and the
 * arbiter runs without them.
 */
export const NODE_OPTIONS_VARIABLE = 'MONOCEROS_NODE_OPTIONS'

/** Variables that other programs set (`WEB_CONCURRENCY` …): they take the place of defaults, so a config file wins. */
export function defaultsFrom(env: Environment): Statement[] {
  return SETTING_NAMES.flatMap((name) => {
    const { variable, type } = SETTINGS[name]
    const text = variable === undefined ? undefined : env[variable]
    return variable === undefined || !text ? [] : [{ name, value: type.parse(text), source: { kind: 'env', variable } }]
  })
}

/** The flags in `MONOCEROS_CMD_ARGS`. */
export function argumentsFrom(env: Environment): CommandLine {
  const words = splitWords(env[ARGUMENTS_VARIABLE] ?? '')
  const sourceOf = (flag: string): Source => ({ kind: 'env', variable: ARGUMENTS_VARIABLE, flag })
  if (words !== null) return parseFlags(words, sourceOf)
  const problem: Problem = {
    key: null,
    source: { kind: 'env', variable: ARGUMENTS_VARIABLE },
    text: 'has a quote that is not closed',
  }
  return { ...parseFlags([]), problems: [problem] }
}

/** Where an export is served without `bind`: on all interfaces where a platform gives `PORT`, else locally. */
export function exportAddress(env: Environment): ListenerAddress | Problem {
  const text = env.PORT
  if (!text) return { kind: 'tcp', host: '127.0.0.1', port: 8000 }
  const found = parseAddress(text)
  if (found?.kind === 'tcp' && /^\d+$/.test(text)) return found
  return {
    key: null,
    source: { kind: 'env', variable: 'PORT' },
    text: `got ${JSON.stringify(text)}; allowed: a whole number from 0 to 65535`,
  }
}
