/** What is said of a TypeScript file that this Node cannot load. */

/** One line for an error that comes of TypeScript; null for any other. `code`, `name` and `stack` as Node's error has them. */
export function unreadable(file: string, error: unknown): string | null {
  const { code, name, stack } = (error ?? {}) as { readonly [key in 'code' | 'name' | 'stack']?: unknown }
  if (!/\.[cm]?ts$/.test(file) || (process.features as { typescript?: unknown }).typescript) return null
  // A loader of TypeScript may be there, and the error be one of JSON.
  const unparsed = name === 'SyntaxError' && /^\S*\.[cm]?ts:\d+$/m.test(String(stack))
  return unparsed || code === 'ERR_UNKNOWN_FILE_EXTENSION' ? WITHOUT_TYPESCRIPT : null
}

const WITHOUT_TYPESCRIPT = `Node ${process.version} cannot load TypeScript; use Node 22.18 or later`
