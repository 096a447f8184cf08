/** A value as plain data with a list of what is none, so that it can cross from one process to another. Pure. */
import { Foreign } from './foreign.ts'

type Path = readonly (string | number)[]

/** `data` survives JSON; each of `foreign` says what stands at a place where `data` has null. */
export type Plain = {
  readonly data: unknown
  readonly foreign: readonly { readonly path: Path; readonly what: string }[]
}

/** Takes a value apart. Properties that are undefined are left out. */
export function toPlain(value: unknown): Plain {
  const foreign: { path: Path; what: string }[] = []
  const walk = (part: unknown, path: Path, above: readonly object[]): unknown => {
    const what = nameOf(part, above)
    if (what !== null) {
      foreign.push({ path, what })
      return null
    }
    if (typeof part !== 'object' || part === null) return part
    if (Array.isArray(part)) return part.map((one, index) => walk(one, [...path, index], [...above, part]))
    const entries = Object.entries(part).filter(([, one]) => one !== undefined)
    return Object.fromEntries(entries.map(([key, one]) => [key, walk(one, [...path, key], [...above, part])]))
  }
  return { data: walk(value, [], []), foreign }
}

/** Puts it together again, with a `Foreign` for each part that was no plain data. */
export function fromPlain({ data, foreign }: Plain): unknown {
  const root = { value: data }
  for (const { path, what } of foreign) {
    let at: Record<string | number, unknown> = root
    let key: string | number = 'value'
    for (const step of path) {
      at = at[key] as Record<string | number, unknown>
      key = step
    }
    at[key] = new Foreign(what)
  }
  return root.value
}

/** What to call something that is no plain data; null when it is. */
function nameOf(value: unknown, above: readonly object[]): string | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value) ? null : String(value)
    case 'function':
      return 'function'
    case 'object': {
      if (value === null) return null
      if (above.includes(value)) return 'an object that contains itself'
      if (above.length > 50) return 'an object that is nested too deeply'
      if (Array.isArray(value)) return null
      const prototype = Object.getPrototypeOf(value)
      if (prototype === null || Object.getPrototypeOf(prototype) === null) return null
      return `an object of class ${prototype.constructor?.name || 'without a name'}`
    }
    default:
      return `a ${typeof value}`
  }
}
