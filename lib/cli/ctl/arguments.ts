/** The command line of monocerosctl. Pure. */

export type CtlArguments = {
  readonly socket: string | null
  readonly instance: string | null
  readonly json: boolean
  /** `null`: as the output is. */
  readonly colour: boolean | null
  readonly help: boolean
  /** The command and what follows it. */
  readonly words: readonly string[]
}

export type Parsed =
  | { readonly kind: 'arguments'; readonly arguments: CtlArguments }
  | { readonly kind: 'wrong'; readonly error: string }

/** Options of monocerosctl itself stand anywhere but behind `--`; those of a command are among its words. */
export function parseArguments(argv: readonly string[]): Parsed {
  const found = {
    socket: null as string | null,
    instance: null as string | null,
    json: false,
    colour: null as boolean | null,
    help: false,
  }
  const words: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const [word, inline] = splitInline(argv[at]!)
    const value = (): string | undefined => inline ?? argv[++at]
    if (word === '-s' || word === '--socket') found.socket = value() ?? ''
    else if (word === '-n' || word === '--name') found.instance = value() ?? ''
    else if (word === '--json') found.json = true
    else if (word === '--color' || word === '--colour') found.colour = true
    else if (word === '--no-color' || word === '--no-colour') found.colour = false
    else if (word === '-h' || word === '--help') found.help = true
    else if (word === '--version') words.push('version')
    else if (word === '--') {
      words.push(...argv.slice(at + 1))
      break
    } else words.push(argv[at]!)
  }
  if (found.socket === '') return { kind: 'wrong', error: '-s needs the path of a control socket' }
  if (found.instance === '') return { kind: 'wrong', error: '-n needs the name of an instance' }
  return { kind: 'arguments', arguments: { ...found, words } }
}

/** Cuts a line of the interactive mode into words: blanks part them, quotes and backslashes keep blanks. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let at = 0; at < line.length; at++) {
    const letter = line[at]!
    if (quote !== null) {
      if (letter === quote) quote = null
      else word += letter
    } else if (letter === '"' || letter === "'") {
      quote = letter
      word ??= ''
    } else if (letter === '\\') {
      at++
      word = (word ?? '') + (line[at] ?? '')
    } else if (/\s/.test(letter)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + letter
  }
  if (word !== null) words.push(word)
  return words
}

const INLINE = /^(--(?:socket|name))=(.*)$/s

const splitInline = (word: string): [string, string | undefined] => {
  const found = INLINE.exec(word)
  return found ? [found[1]!, found[2]] : [word, undefined]
}
