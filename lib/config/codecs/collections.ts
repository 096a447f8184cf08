/** Lists and maps. Pure. */
import { andThen, bad, type Codec, good, isRecord, secretly, together, within } from '../codec.ts'

/** What is shown in place of a secret value. */
export const HIDDEN = '(hidden)'

/** A list, or a single element without brackets. `separator` splits a flag's text into several. */
export function list<Out, In>(
  element: Codec<Out, In>,
  { separator }: { readonly separator?: RegExp } = {},
): Codec<readonly Out[], In | readonly In[]> {
  return {
    allowed: `${element.allowed}, or a list of such`,
    placeholder: element.placeholder,
    type: `${element.type} | ${element.type.includes('|') ? `(${element.type})` : element.type}[]`,
    repeatable: true,
    parse: (text) =>
      separator === undefined
        ? [element.parse(text)]
        : text
            .split(separator)
            .filter((part) => part !== '')
            .map((part) => element.parse(part)),
    check: (value, context) => {
      if (!Array.isArray(value)) return andThen(element.check(value, context), (one) => good([one]))
      return together(value.map((part, index) => within(index, element.check(part, context))))
    },
    format: (value) => value.map((part) => element.format(part)),
  }
}

/** Names and texts, such as environment variables. As a flag: `NAME=VALUE`, several times. */
export function map(names: RegExp, allowedName: string): Codec<Texts, Texts> {
  const allowed = `names and texts, such as { NAME: "value" } or NAME=value; a name is ${allowedName}`
  return {
    allowed,
    placeholder: 'NAME=VALUE',
    type: 'Record<string, string>',
    repeatable: true,
    parse: (text) => {
      const at = text.indexOf('=')
      return at > 0 ? { [text.slice(0, at)]: text.slice(at + 1) } : text
    },
    check: (value) => {
      if (!isRecord(value)) return bad(value, allowed)
      const entries = Object.entries(value).map(([name, part]) => {
        if (!names.test(name)) return bad(name, `names that are ${allowedName}`)
        const fits = typeof part === 'string' && !part.includes('\0')
        return within(name, fits ? good([name, part] as const) : bad(part, 'a text without NUL'))
      })
      return andThen(together(entries), (pairs) => good(Object.fromEntries(pairs)))
    },
    format: (value) => value,
  }
}

type Texts = Readonly<Record<string, string>>

const variables = map(/^[^=\0]+$/, 'not empty and without "="')

/** Environment variables. Their values are shown nowhere. */
export const environment: Codec<Texts, Texts> = {
  ...variables,
  check: (value, context) => secretly(variables.check(value, context)),
  hide: (value) => Object.fromEntries(Object.keys(value).map((name) => [name, HIDDEN])),
}
