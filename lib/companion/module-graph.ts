/**
 * Which modules load which, noted while they are loaded: `require` by the loader's own function, `import` where Node has
 * `registerHooks` (22.15). Without that nobody can say what an ES module imports.
 */
import module from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file and all that it loads, directly or not. */
export type Part = {
  readonly files: ReadonlySet<string>
  /** It loads nothing else. */
  readonly isWhole: boolean
}

export type ModuleGraph = {
  /** All files that were loaded so far. */
  files(): ReadonlySet<string>
  has(file: string): boolean
  part(file: string): Part
  stop(): void
}

type Parent = { readonly filename?: string | null } | null | undefined
type Resolved = { readonly url: string }
type Insides = {
  readonly _cache: Readonly<Record<string, unknown>>
  _load(request: string, parent: Parent, ...more: unknown[]): unknown
  _resolveFilename(request: string, parent: Parent): string
  registerHooks?(hooks: {
    resolve(
      specifier: string,
      context: { readonly parentURL?: string },
      next: (...args: unknown[]) => Resolved,
    ): Resolved
  }): { deregister(): void }
}
const loader = module as unknown as Insides

/** From now on. */
export function watchModules(): ModuleGraph {
  const loads = new Map<string, Set<string>>()
  const note = (by: string | null, file: string | null): void => {
    for (const one of [by, file]) if (one !== null && !loads.has(one)) loads.set(one, new Set())
    if (by !== null && file !== null) loads.get(by)!.add(file)
  }
  const { _load } = loader
  const noting: Insides['_load'] = function (this: unknown, ...args) {
    note(pathOf(args[1]?.filename), fileOf(args[0], args[1]))
    return Reflect.apply(_load, this, args)
  }
  loader._load = noting
  const hooks = loader.registerHooks?.({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      note(pathOf(context.parentURL), pathOf(found.url))
      return found
    },
  })
  return {
    files: () => new Set([...loads.keys(), ...Object.keys(loader._cache)]),
    has: (file) => loads.has(file) || file in loader._cache,
    part(file) {
      const files = new Set([file])
      for (const one of files) for (const other of loads.get(one) ?? []) files.add(other)
      return { files, isWhole: hooks !== undefined || [...files].every((one) => one in loader._cache) }
    },
    stop() {
      hooks?.deregister()
      // Somebody may have put his own around it.
      if (loader._load === noting) loader._load = _load
    },
  }
}

/** Of a path or a file's URL; null: of something else. */
export function pathOf(name: string | null | undefined): string | null {
  if (name == null) return null
  if (isAbsolute(name)) return name
  try {
    return name.startsWith('file:') ? fileURLToPath(name) : null
  } catch {
    return null
  }
}

/** Null: it is Node's own, or is not there. */
function fileOf(request: string, parent: Parent): string | null {
  try {
    return pathOf(loader._resolveFilename(request, parent))
  } catch {
    return null
  }
}
