/** Switches, texts, choices, and "or nothing". Pure. */
import { andThen, bad, type Codec, good } from '../codec.ts'

/** On or off. As a flag: `--name` and `--no-name`. */
export const toggle: Codec<boolean, boolean> = {
  allowed: 'true or false',
  placeholder: null,
  type: 'boolean',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : text),
  check: (value) => (typeof value === 'boolean' ? good(value) : bad(value, 'true or false')),
  format: (value) => value,
}

/** A text that is not empty and has no NUL or line break. */
export function text(placeholder: string, allowed = 'a text'): Codec<string, string> {
  return {
    allowed,
    placeholder,
    type: 'string',
    parse: (given) => given,
    check: (value) =>
      typeof value === 'string' && value !== '' && !/[\0\n\r]/.test(value) ? good(value) : bad(value, allowed),
    format: (value) => value,
  }
}

/** An argument of a program: any text that can be one, the empty one too. */
export const argument: Codec<string, string> = {
  ...text('ARG', 'a text without NUL'),
  check: (value) =>
    typeof value === 'string' && !value.includes('\0') ? good(value) : bad(value, 'a text without NUL'),
}

/** A text of a given form. */
export function matching(pattern: RegExp, placeholder: string, allowed: string): Codec<string, string> {
  return {
    ...text(placeholder, allowed),
    check: (value) => (typeof value === 'string' && pattern.test(value) ? good(value) : bad(value, allowed)),
  }
}

/** One of a few words. */
export function choice<const Word extends string>(...words: readonly Word[]): Codec<Word, Word> {
  const quoted = words.map((word) => `"${word}"`)
  const allowed = `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
  return {
    allowed,
    placeholder: words.length > 6 ? 'WORD' : words.join('|'),
    type: quoted.join(' | '),
    parse: (given) => given,
    check: (value) => (words.includes(value as Word) ? good(value as Word) : bad(value, allowed)),
    format: (value) => value,
  }
}

/** The same, or nothing: `null` in a config file, an empty text as a flag. */
export function optional<Out, In>(codec: Codec<Out, In>): Codec<Out | null, In | null> {
  return {
    ...codec,
    allowed: codec.allowed,
    type: `${codec.type} | null`,
    parse: (given) => (given === '' ? null : codec.parse(given)),
    check: (value, context) => (value === null ? good(null) : codec.check(value, context)),
    format: (value) => (value === null ? null : codec.format(value)),
  }
}

/** The same, or `false`: switched off, with a `--no-…` flag. */
export function refusable<Out, In>(codec: Codec<Out, In>): Codec<Out | false, In | false> {
  const allowed = `${codec.allowed}, or false`
  return {
    ...codec,
    allowed,
    type: `${codec.type} | false`,
    refusable: true,
    check: (value, context) => {
      const checked = value === false ? good<false>(false) : codec.check(value, context)
      return checked.ok ? checked : bad(value, allowed)
    },
    format: (value) => (value === false ? false : codec.format(value)),
  }
}

/** A text that `problemOf` finds nothing wrong with; what it says is a noun phrase of what is allowed. */
export function judged(
  base: Codec<string, string>,
  problemOf: (value: string) => string | null,
): Codec<string, string> {
  return {
    ...base,
    check: (value, context) =>
      andThen(base.check(value, context), (checked) => {
        const problem = problemOf(checked)
        return problem === null ? good(checked) : bad(checked, problem)
      }),
  }
}
