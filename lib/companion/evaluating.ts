/** Whose code is running: the module that is being evaluated, or that began what goes on. */
import { isAbsolute, join, sep } from 'node:path'

/** Ours. */
const OWN = join(__dirname, '..') + sep
/** Deep enough to get from a helper of a helper to the module that called it. */
const DEPTH = 100

/**
 * Where that module is, a path or, if it was imported, a URL; null where that cannot be seen, `'node'` where Node itself calls.
 *
 *   shared.js  install()      a function: whoever calls it has done it
 *   a.js       top level      this one
 *   node:internal/modules/…   the loader: what stands below only waits
 */
export function evaluating(): string | null {
  let found: string | null = null
  let isFirst = true
  for (const site of callSites()) {
    const name = site.getFileName() ?? ''
    if (name.startsWith(OWN) || name === 'node:events') continue
    if (isFirst && name.startsWith('node:')) return 'node'
    isFirst = false
    if (name.startsWith('node:internal/modules/')) break
    if (isAbsolute(name) || name.startsWith('file:')) found = name
  }
  return found
}

/** Whatever packages have done to how an error's stack is written. */
function callSites(): readonly NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error
  try {
    Error.stackTraceLimit = DEPTH
    Error.prepareStackTrace = (_, sites) => sites
    return new Error().stack as unknown as readonly NodeJS.CallSite[]
  } finally {
    Error.prepareStackTrace = prepareStackTrace
    Error.stackTraceLimit = stackTraceLimit
  }
}
