/** Finding what `target: "module:export"` means. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The module or its export is not there; `message` is one line. Other errors are the module's own. */
export class TargetMissing extends Error {
  override readonly name = 'TargetMissing'
}

/** A path is relative to `cwd`; what is no file there is a package, as `require` finds it from `cwd`. */
export async function loadTarget(target: string, cwd: string): Promise<() => unknown> {
  const colon = target.lastIndexOf(':')
  const [name, exported] = [target.slice(0, colon), target.slice(colon + 1)]
  const file = findModule(name, cwd)
  lookLike(file)
  return exportOf(await importModule(file), name, exported)
}

/** Code that looks at argv sees itself as the program. */
export function lookLike(file: string): void {
  process.argv.splice(1, 2, file)
}

type Namespace = Readonly<Record<string, unknown>>

export function importModule(file: string): Promise<Namespace> {
  // In a constant: inside of `import()` the compiler (7.0) loses where the function came from.
  const url = pathToFileURL(file).href
  return import(url)
}

/** The function that a loaded module exports under this name; `name` is the module's, for the error. */
export function exportOf(module: Namespace, name: string, exported: string): () => unknown {
  const inside = module.default as Namespace | undefined
  const found = module[exported] ?? inside?.[exported]
  if (typeof found === 'function') return () => found.call(undefined)
  const named = [...new Set([...Object.keys(module), ...keysOf(inside)])]
  const functions = named.filter((one) => one !== 'default' && one !== 'module.exports')
  const what = found === undefined ? `has no export "${exported}"` : `exports "${exported}", which is no function`
  throw new TargetMissing(`${name} ${what}${functions.length > 0 ? `; it has ${functions.join(', ')}` : ''}`)
}

/** Throws a `TargetMissing` where there is none. */
export function findModule(name: string, cwd: string): string {
  const require = createRequire(join(cwd, 'companion'))
  const path = resolve(cwd, name)
  try {
    return require.resolve(existsSync(path) || /^\.{0,2}\//.test(name) ? path : name)
  } catch {
    throw new TargetMissing(`there is no module ${name} in ${cwd}`)
  }
}

const keysOf = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : [])
