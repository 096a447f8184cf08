/**
 * Splits a text into words as a shell does: blanks separate, single and double quotes hold together, a backslash takes
 * the next character as it is (in double quotes only before `"`, `\`, `$` and a back quote; POSIX 2.2). Nothing is
 * expanded. Null when a quote is not closed. Pure.
 */
export function splitWords(text: string): string[] | null {
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    const next = text[at + 1]
    if (quote === "'") {
      if (character === "'") quote = null
      else word += character
    } else if (character === '\\' && next !== undefined && (quote === null || '"\\$`'.includes(next))) {
      word = (word ?? '') + next
      at++
    } else if (quote === '"') {
      if (character === '"') quote = null
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + character
  }
  if (quote !== null) return null
  return word === null ? words : [...words, word]
}
