/** The command line of an exec'd worker: how it is made, and how the app finds it. */
import { pathToFileURL } from 'node:url'

/** Built files of this folder, absolute. */
export type Entries = { readonly hook: string; readonly begun: string; readonly main: string }

export const ENTRIES: Entries = {
  hook: `${__dirname}/hook.js`,
  begun: `${__dirname}/begun.js`,
  main: `${__dirname}/main.js`,
}

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
export const nodeArguments = (command: Command, entries: Entries = ENTRIES): readonly string[] => {
  const { file, args, nodeOptions } = command
  if (command.export !== null) return [...nodeOptions, entries.main, file, command.export, '--', ...args]
  const imports = [...nodeOptions, ...(command.variable ?? '').split(/\s+/)].some(isImport)
  const begun = imports ? ['--import', pathToFileURL(entries.begun).href] : []
  return ['--require', entries.hook, ...nodeOptions, ...begun, file, ...args]
}

const isImport = (option: string): boolean => /^--(import|loader|experimental-loader)(=|$)/.test(option)

/** Takes our options out of `process.execArgv`, which `child_process.fork` hands on. Whether `begun` was among them. */
export const forgetOptions = (execArgv: string[] = process.execArgv, entries: Entries = ENTRIES): boolean => {
  const remove = (option: string, value: string): boolean => {
    const at = execArgv.findIndex((each, index) => each === option && execArgv[index + 1] === value)
    if (at >= 0) execArgv.splice(at, 2)
    return at >= 0
  }
  remove('--require', entries.hook)
  return remove('--import', pathToFileURL(entries.begun).href)
}
