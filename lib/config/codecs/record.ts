/** Objects with known keys. Pure. */
import {
  type AnyCodec,
  bad,
  type Checked,
  type Context,
  type Fault,
  good,
  type InOf,
  isRecord,
  type OutOf,
  unknown,
  within,
} from '../codec.ts'

export type Fields = Readonly<Record<string, AnyCodec>>
/** Those of the keys that are there, checked. */
export type Some<Known extends Fields> = { readonly [Key in keyof Known]?: OutOf<Known[Key]> }
export type SomeInput<Known extends Fields> = { readonly [Key in keyof Known]?: InOf<Known[Key]> | undefined }

/** Checks every part of an object; an unknown key is a fault, an absent or undefined part is left out. */
export function checkFields<Known extends Fields>(
  known: Known,
  allowed: string,
  value: unknown,
  context: Context,
): Checked<Some<Known>> {
  if (!isRecord(value)) return bad(value, allowed)
  const found: Record<string, unknown> = {}
  const faults: Fault[] = []
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue
    const codec = Object.hasOwn(known, key) ? known[key] : undefined
    const checked: Checked<unknown> =
      codec === undefined ? unknown(key, Object.keys(known)) : within(key, codec.check(part, context))
    if (checked.ok) found[key] = checked.value
    else faults.push(...checked.faults)
  }
  return faults.length === 0 ? good(found as Some<Known>) : { ok: false, faults }
}

/** The parts as they could stand in a config file, secrets replaced where `hidden`. */
export function formatFields(known: Fields, value: Readonly<Record<string, unknown>>, hidden: boolean) {
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      const codec = known[key]!
      return [key, hidden && codec.hide ? codec.hide(part) : codec.format(part)]
    }),
  )
}
