/** What the keys of a control request may be. Pure. */

export type Key<Value> = {
  readonly required: boolean
  /** In words, for the error. */
  readonly allowed: string
  readonly accepts: (value: unknown) => boolean
  /** Type only: never there. */
  readonly value?: Value
}
// biome-ignore lint/suspicious/noExplicitAny: a table holds keys of any type.
export type Keys = Readonly<Record<string, Key<any>>>
export type Values<K extends Keys> = { readonly [Name in keyof K]: K[Name] extends Key<infer Value> ? Value : never }

/** A string of 1 to 256 characters. */
export const text = (what: string): Key<string> => ({
  required: true,
  allowed: what,
  accepts: (value) => typeof value === 'string' && value.length > 0 && value.length <= 256,
})

/** One of these words. */
export const oneOf = <Word extends string>(...words: readonly Word[]): Key<Word> => ({
  required: true,
  allowed: `one of ${words.join(', ')}`,
  accepts: (value) => (words as readonly unknown[]).includes(value),
})

/** A whole number from `least` to `most`. */
export const integer = (least: number, most: number): Key<number> => ({
  required: true,
  allowed: `a whole number from ${least} to ${most}`,
  accepts: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
})

/** Seconds from 0 to `most`, fractions allowed. */
export const seconds = (most: number): Key<number> => ({
  required: true,
  allowed: `a number of seconds from 0 to ${most}`,
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= most,
})

export const flag: Key<boolean> = {
  required: true,
  allowed: 'true or false',
  accepts: (value) => typeof value === 'boolean',
}

/** The same key, but it may be left out. */
export const optional = <Value>(key: Key<Value>): Key<Value | undefined> =>
  ({ ...key, required: false }) as Key<Value | undefined>
