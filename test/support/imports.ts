/** What the files of `lib/` import, read from their text. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

const LIB = join(__dirname, '..', '..', 'lib')

export type Import = {
  /** As it is written: `node:fs`, `bindings`, or for a file of ours its path below `lib/`. */
  readonly target: string
  readonly own: boolean
  /** Gone after compilation. */
  readonly typeOnly: boolean
}

export type SourceFile = {
  /** Below `lib/`: `supervision/life.ts`. */
  readonly path: string
  readonly text: string
  /** The text without comments, strings and templates' fixed parts. */
  readonly code: string
  readonly imports: readonly Import[]
}

/** All files of `lib/`, ascending. */
export function sourceFiles(): SourceFile[] {
  return readdirSync(LIB, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(LIB, path), 'utf8')
      return { path, text, code: codeOf(text), imports: importsOf(path, text) }
    })
}

/** The first folder of a path; `.` for the files at the top. */
export const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '.')

const STATIC = [
  /^import\s+(?:(type\s+)?([\w$*{},\s]+?)\s+from\s+)?'([^']+)'/gm,
  /^export\s+(type\s+)?(\{[^}]*\}|\*(?:\s+as\s+\w+)?)\s+from\s+'([^']+)'/gm,
]
const DYNAMIC = /\b(?:import|require|require\.resolve)\(\s*'([^']+)'/g

function importsOf(path: string, text: string): Import[] {
  const code = text.replace(COMMENTS, '')
  const found = STATIC.flatMap((pattern) => [...code.matchAll(pattern)]).map(([, type, names = '', target]) =>
    entry(path, target!, type !== undefined || onlyTypes(names)),
  )
  const dynamic = [...code.matchAll(DYNAMIC)].map(([, target]) => entry(path, target!, false))
  return [...found, ...dynamic]
}

/** `{ type A, type B }`; `isolatedModules` keeps such an import only where something else stands in it. */
const onlyTypes = (names: string): boolean =>
  /^\{.*\}$/s.test(names) &&
  names
    .slice(1, -1)
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
    .every((name) => name.startsWith('type '))

function entry(path: string, target: string, typeOnly: boolean): Import {
  const own = target.startsWith('.')
  return { target: own ? posix.normalize(posix.join(dirname(path), target)) : target, own, typeOnly }
}

const COMMENTS = /\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/[^\n]*/g
const STRINGS = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g

function codeOf(text: string): string {
  return text.replace(COMMENTS, '').replace(STRINGS, "''")
}
