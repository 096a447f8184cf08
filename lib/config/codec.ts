/** How the values of one kind of setting are read, judged and written. Pure. */
import { nearest } from './near.ts'

/** What is wrong with a value: the value itself, a key that nobody knows (`near` was perhaps meant), or one that is not there. */
type Wrong =
  | { readonly kind: 'value'; readonly value: unknown; readonly allowed: string; readonly secret?: true }
  | { readonly kind: 'unknown'; readonly near: string | null }
  | { readonly kind: 'missing'; readonly allowed: string }

/** One thing wrong with a setting. `path` leads from the setting to the part that is wrong: `[2, 'stopSignal']`. */
export type Fault = Wrong & { readonly path: readonly (string | number)[] }

export type Checked<Out> =
  | { readonly ok: true; readonly value: Out }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** What a check may need to know besides the value: relative paths are resolved against `base`, an absolute path. */
export type Context = { readonly base: string }

/**
 * `Out` is what the program works with, plain data that survives JSON; `In` is what a config file may say.
 */
export type Codec<Out, In> = {
  /** What is allowed, as a noun phrase: `a whole number from 1 to 65535`. */
  readonly allowed: string
  /** The value's place holder in `--help`, as in `--workers N`; null for switches, which take no value. */
  readonly placeholder: string | null
  /** The TypeScript type of `In`, for the documentation. */
  readonly type: string
  /** A flag that may be given several times; its texts are read one by one and collected. */
  readonly repeatable?: true
  /** `false` is a value, so that `--no-…` exists beside the flag that takes a value. */
  readonly refusable?: true
  /** What a flag's or a variable's text says, as it would stand in a config file; nonsense is left as text for `check`. */
  readonly parse: (text: string) => unknown
  /** Judges a value from a config file, or from `parse`. */
  readonly check: (value: unknown, context: Context) => Checked<Out>
  /** The value as it could stand in a config file. */
  readonly format: (value: Out) => In
  /** As `format`, with what is secret in it replaced. */
  hide?(value: Out): unknown
}

// biome-ignore lint/suspicious/noExplicitAny: a row of the table, whatever its value
export type AnyCodec = Codec<any, any>
export type OutOf<C> = C extends { readonly check: (value: unknown, context: Context) => Checked<infer Out> }
  ? Out
  : never
export type InOf<C> = C extends { readonly format: (value: never) => infer In } ? In : never

export const good = <Out>(value: Out): Checked<Out> => ({ ok: true, value })

export const bad = (value: unknown, allowed: string): Checked<never> => ({
  ok: false,
  faults: [{ kind: 'value', path: [], value, allowed }],
})

/** A key that nobody knows. */
export const unknown = (key: string, known: readonly string[]): Checked<never> => ({
  ok: false,
  faults: [{ kind: 'unknown', path: [key], near: nearest(key, known) }],
})

/** The same judgement, and its faults show no values. */
export function secretly<Out>(checked: Checked<Out>): Checked<Out> {
  if (checked.ok) return checked
  return {
    ok: false,
    faults: checked.faults.map((fault) => (fault.kind === 'value' ? { ...fault, secret: true } : fault)),
  }
}

/** The same judgement about a part: its faults get `key` in front of their path. */
export function within<Out>(key: string | number, checked: Checked<Out>): Checked<Out> {
  if (checked.ok) return checked
  return { ok: false, faults: checked.faults.map((fault) => ({ ...fault, path: [key, ...fault.path] })) }
}

/** All values, or all faults of all parts. */
export function together<Out>(parts: readonly Checked<Out>[]): Checked<Out[]> {
  const values: Out[] = []
  const faults: Fault[] = []
  for (const part of parts) {
    if (part.ok) values.push(part.value)
    else faults.push(...part.faults)
  }
  return faults.length === 0 ? good(values) : { ok: false, faults }
}

/** Goes on with a good value. */
export const andThen = <A, B>(checked: Checked<A>, next: (value: A) => Checked<B>): Checked<B> =>
  checked.ok ? next(checked.value) : checked

/** A plain object, as opposed to an array, null or something that a config file cannot say in plain data. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
