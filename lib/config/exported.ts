/** What a config file's module means to say: the same for whoever evaluates it. */

/** The default export, called where it is a function and waited for. Rejects with what the file throws. */
export async function exportedConfig(module: Readonly<Record<string, unknown>>): Promise<unknown> {
  const value = unwrap(module)
  return typeof value === 'function' ? await value() : await value
}

/** `export default`, `module.exports`, and what compilers make of the one in the form of the other. */
function unwrap(module: Readonly<Record<string, unknown>>): unknown {
  const outer = module.default
  if (typeof outer === 'object' && outer !== null && '__esModule' in outer)
    return (outer as { default?: unknown }).default
  return outer
}
