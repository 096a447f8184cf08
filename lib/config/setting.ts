/** One row of the settings table. Pure. */
import type { AnyCodec, Codec, InOf, OutOf } from './codec.ts'

/**
 * How a reload (HUP) applies a changed value: `live`, in the processes that run; `workers`, in the new generation;
 * `restart`, only when the arbiter is started again (the reload names it in the log and goes on with the old value).
 */
export type Effect = 'live' | 'workers' | 'restart'

type Traits = {
  /** Flags, the short one first. Absent: `--` and the name in kebab-case. Empty: only the config file has it. */
  readonly flags?: readonly string[]
  readonly effect: Effect
  /** Its values are shown nowhere. */
  readonly secret?: true
  /** Workers need it: part of `WorkerSettings`. */
  readonly worker?: true
  /** Environment variable that takes the place of the default. */
  readonly variable?: string
  /** Sentences for the settings page; the first one stands in `--help`. */
  readonly doc: string
}

export type AnySetting = Traits & { readonly type: AnyCodec; readonly default: unknown }

/** A table of rows; the key is the name that a config file uses. */
export type Rows = Readonly<Record<string, AnySetting>>

/** Makes a row. The default is written as a config file would write it, and checked against the type by the compiler. */
export const setting = <Out, In, const Row extends Traits>(
  row: Row & { readonly type: Codec<Out, In>; readonly default: NoInfer<In> },
): Row & { readonly type: Codec<Out, In>; readonly default: In } => row

/** What the program gets of a table of rows. */
export type Values<Table extends Rows> = { readonly [Name in keyof Table]: OutOf<Table[Name]['type']> }

/** What a config file may say of a table of rows. */
export type Inputs<Table extends Rows> = { readonly [Name in keyof Table]?: InOf<Table[Name]['type']> | undefined }

/** The names of the rows that workers need. */
export type WorkerNames<Table extends Rows> = {
  [Name in keyof Table]: Table[Name] extends { readonly worker: true } ? Name : never
}[keyof Table]

/** The flags of a row, the short one first. */
export const flagsOf = (name: string, row: AnySetting): readonly string[] => row.flags ?? [`--${kebab(name)}`]

/** `maxRequests` as `max-requests`. */
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
