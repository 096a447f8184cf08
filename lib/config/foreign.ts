/**
 * Something in a config file that is not plain data. The child that evaluates the file reports its place and what it
 * is; the parent puts one of these there, so that every check sees it. Pure.
 */
export class Foreign {
  /** `function`, or what to call it in an error: `a Date`, `a symbol`, `NaN`. */
  readonly what: string
  constructor(what: string) {
    this.what = what
  }
}

/** The value is a function in the config file. */
export const isFunction = (value: unknown): boolean => value instanceof Foreign && value.what === 'function'

/** A value as an error message shows it: JSON, cut to a readable length. */
export function show(value: unknown): string {
  if (value instanceof Foreign) return value.what === 'function' ? 'a function' : value.what
  const text = JSON.stringify(value, (_key, part) => (part instanceof Foreign ? show(part) : part)) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
