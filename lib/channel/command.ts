/** The command line of an exec'd worker. Pure, but for where our own files are. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const file = (name: string): string => join(__dirname, '..', 'worker', name)

/** Loaded into `node FILE` before the app. */
export const HOOK = file('hook.js')
/** Imported last before the main module, where anything is imported before it; a URL. */
export const BEGUN = pathToFileURL(file('begun.js')).href
/** The entry that serves `FILE:EXPORT`. */
const MAIN = file('main.js')

export type Command = {
  /** The app's file, absolute. */
  readonly file: string
  /** Null: the file is the entry itself. */
  readonly export: string | null
  readonly args: readonly string[]
  readonly nodeOptions: readonly string[]
  /** The worker's NODE_OPTIONS. */
  readonly variable: string | undefined
}

/**
 * What follows `node`. The hook comes before the user's own `--require`s: some of them listen (exporters of metrics). An
 * `--import` is evaluated asynchronously before the main module; where there is one, ours is the last and tells the
 * hook that the main module is next.
 */
export const nodeArguments = ({ file, export: name, args, nodeOptions, variable = '' }: Command): readonly string[] => {
  if (name !== null) return [...nodeOptions, MAIN, file, name, '--', ...args]
  const imports = [...nodeOptions, ...variable.split(/\s+/)].some(isImport)
  return ['--require', HOOK, ...nodeOptions, ...(imports ? ['--import', BEGUN] : []), file, ...args]
}

const isImport = (option: string): boolean => /^--(import|loader|experimental-loader)(=|$)/.test(option)
