/** The command line of an exec'd worker. Pure, but for where our own files are. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const file = (name: string, folder = 'worker'): string => join(__dirname, '..', folder, name)

/** Loaded into `node FILE` before the app. */
export const HOOK = file('hook.js')
/** The same in a mold, which is forked into workers. */
export const MOLD_HOOK = file('hook.js', 'mold')
/** Imported last before the main module, where anything is imported before it; a URL. */
export const BEGUN = pathToFileURL(file('begun.js')).href
/** Imported first before the main module, where something is to be done before any code of the app; a URL. */
export const BEFORE_APP = pathToFileURL(file('before-app.mjs', 'worker/hooks')).href
/** The entry that serves `FILE:EXPORT`. */
const MAIN = file('main.js')
const MOLD_MAIN = file('main.js', 'mold')

/**
 * Without the first two V8 would have threads, which a fork does not copy. With its memory reducer, whose timer is copied,
 * every child collects its whole heap when the mold is 8 s old, or at its birth, and so writes to what it shares.
 */
export const MOLD_OPTIONS: readonly string[] = ['--single-threaded', '--v8-pool-size=1', '--no-memory-reducer']

export type Command = {
  /** The app's file, absolute. */
  readonly file: string
  /** Null: the file is the entry itself. */
  readonly export: string | null
  readonly args: readonly string[]
  readonly nodeOptions: readonly string[]
  /** Hooks of the config file are to be loaded before the app. */
  readonly hooks?: boolean
  /** The worker's NODE_OPTIONS. */
  readonly variable: string | undefined
}

/**
 * What follows `node`. The hook comes before the user's own `--require`s: some of them listen (exporters of metrics). An
 * `--import` is evaluated asynchronously before the main module; where there is one, ours is the last and tells the
 * hook that the main module is next. What has to be waited for before the app is waited for in another one, the first.
 */
export const nodeArguments = (command: Command): readonly string[] => commandLine(command, HOOK, MAIN)

/** The same for the mold that workers are forked from. */
export const moldArguments = (command: Command): readonly string[] => [
  ...MOLD_OPTIONS,
  ...commandLine(command, MOLD_HOOK, MOLD_MAIN),
]

function commandLine(
  { file, export: name, args, nodeOptions, hooks = false, variable = '' }: Command,
  hook: string,
  main: string,
): readonly string[] {
  if (name !== null) return [...nodeOptions, main, file, name, '--', ...args]
  const imports = hooks || [...nodeOptions, ...variable.split(/\s+/)].some(isImport)
  return [
    '--require',
    hook,
    ...(hooks ? ['--import', BEFORE_APP] : []),
    ...nodeOptions,
    ...(imports ? ['--import', BEGUN] : []),
    file,
    ...args,
  ]
}

const isImport = (option: string): boolean => /^--(import|loader|experimental-loader)(=|$)/.test(option)
