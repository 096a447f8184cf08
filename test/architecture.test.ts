import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { folderOf, type SourceFile, sourceFiles } from './support/imports.ts'

/**
 * Which folders the files of a folder may import from, types included; every one may import its own and what is everybody's.
 * What a worker, the arbiter and the manager have in common stands below all three.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  supervision: [],
  log: [],
  metrics: ['channel'],
  config: ['kernel', 'log'],
  http: ['config'],
  channel: ['kernel', 'config', 'log'],
  runtime: ['kernel', 'channel', 'supervision', 'system', 'log'],
  system: ['kernel', 'channel'],
  control: ['kernel', 'config', 'supervision'],
  worker: ['kernel', 'channel', 'config', 'http', 'log', 'system'],
  mold: ['kernel', 'channel', 'config', 'http', 'log', 'system', 'worker'],
  companion: ['kernel', 'channel', 'mold', 'worker'],
  hooks: ['kernel', 'channel', 'config'],
  manager: ['kernel', 'channel', 'config', 'control', 'log', 'mold', 'runtime', 'supervision', 'system'],
  arbiter: ['kernel', 'channel', 'config', 'control', 'log', 'metrics', 'runtime', 'supervision', 'system'],
  // The two ends of everything: the commands, and what the package exports.
  cli: ['kernel', 'channel', 'config', 'control', 'log', 'mold', 'system', 'arbiter', 'supervision'],
  '.': ['config', 'mold'],
}

const EVERYBODYS = ['units.ts', 'exit-codes.ts', 'version.ts']

/** Pure: these files and all that they import (but for types). They get the time and know no process. */
const PURE = [
  /^supervision\//,
  /^metrics\//,
  /^http\/parser\//,
  /^http\/proxy\/(forwarded|proxy-protocol)\.ts$/,
  /^control\/(protocol|lines)\.ts$/,
  /^log\/(format|access)\.ts$/,
]

/** Of Node's modules, those that only compute. */
const PURE_MODULES = ['node:path', 'node:util']

const IMPURE =
  /\b(?:process|performance|console)\s*[.[]|\b(setTimeout|setInterval|setImmediate|queueMicrotask|fetch)\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/

const LONGEST = 400

const files = sourceFiles()
const byPath = new Map(files.map((file) => [file.path, file]))

test('There are files to look at, and their imports are found.', () => {
  expect(files.length).toBeGreaterThan(50)
  expect(byPath.get('kernel/addon.ts')!.imports).toContainEqual({ target: 'bindings', own: false, typeOnly: false })
  expect(byPath.get('channel/messages.ts')!.imports).toContainEqual({
    target: 'kernel/kernel.ts',
    own: true,
    typeOnly: true,
  })
})

test('Every import stands in a file that exists.', () => {
  const missing = files.flatMap(({ path, imports }) =>
    imports.filter(({ own, target }) => own && !byPath.has(target)).map(({ target }) => `${path} imports ${target}`),
  )
  expect(missing).toEqual([])
})

test('Every folder imports only from the folders below it.', () => {
  const wrong = files.flatMap(({ path, imports }) => {
    const folder = folderOf(path)
    const allowed = LAYERS[folder]
    if (allowed === undefined) return [`${path}: its folder is not in the table`]
    return imports
      .filter(({ own }) => own)
      .map(({ target }) => target)
      .filter(
        (target) => !EVERYBODYS.includes(target) && folderOf(target) !== folder && !allowed.includes(folderOf(target)),
      )
      .map((target) => `${path} imports ${target}`)
  })
  expect(wrong).toEqual([])
})

test('Pure files import only pure files, and use neither clock nor process nor chance.', () => {
  const pure = closure(files.filter(({ path }) => PURE.some((pattern) => pattern.test(path))))
  expect(pure.length).toBeGreaterThan(20)
  const modules = pure.flatMap(({ path, imports }) =>
    imports
      .filter(({ own, typeOnly, target }) => !own && !typeOnly && !PURE_MODULES.includes(target))
      .map(({ target }) => `${path} imports ${target}`),
  )
  const globals = pure.flatMap(({ path, code }) => {
    const found = IMPURE.exec(code)
    return found === null ? [] : [`${path} uses ${found[0]}`]
  })
  expect([...modules, ...globals]).toEqual([])
})

test('Only kernel/addon.ts loads the addon.', () => {
  const loading = files.filter(
    ({ imports, text }) => imports.some(({ target }) => target === 'bindings') || /\.node'|process\.dlopen/.test(text),
  )
  expect(loading.map(({ path }) => path)).toEqual(['kernel/addon.ts'])
})

test('Nothing but what package.json names is imported from outside.', () => {
  const { dependencies } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'))
  const outside = new Set(
    files
      .flatMap(({ imports }) =>
        imports.filter(({ own, target, typeOnly }) => !own && !typeOnly && !target.startsWith('node:')),
      )
      .map(({ target }) => target),
  )
  expect([...outside].filter((name) => !(name in dependencies))).toEqual([])
})

test('No two files need each other at run time.', () => {
  const cycles = files.filter((file) => closure(needs(file)).includes(file)).map(({ path }) => path)
  expect(cycles).toEqual([])
})

test(`No file is longer than ${LONGEST} lines, and none has a default export.`, () => {
  const long = files.filter(({ text }) => text.split('\n').length > LONGEST).map(({ path }) => path)
  const defaults = files.filter(({ code }) => /^export default\b|\bas default\b/m.test(code)).map(({ path }) => path)
  expect({ long, defaults }).toEqual({ long: [], defaults: [] })
})

test('No import() holds a call: TypeScript 7.0 drops the import of the function that is called there.', () => {
  const wrong = files.filter(({ code }) => /\bimport\((?!\s*['"])[^)]*\(/.test(code)).map(({ path }) => path)
  expect(wrong).toEqual([])
})

/** But for what only root can do, which counts as failed where it is skipped in CI (`support/summary-reporter.js`). */
test('No test is skipped, planned or run alone.', () => {
  const tests = readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.test.ts'),
  )
  const wrong = tests.filter((name) =>
    /(?<!isRoot \? (?:test|describe) : )\b(?:test|it|describe)\s*\.\s*(?:skip|only|todo|failing)\b|\bx(?:it|test|describe)\(/.test(
      readFileSync(join(__dirname, name), 'utf8'),
    ),
  )
  expect(wrong).toEqual([])
})

/** What a file imports for run time. */
const needs = (file: SourceFile): SourceFile[] =>
  file.imports.filter(({ own, typeOnly }) => own && !typeOnly).map(({ target }) => byPath.get(target)!)

/** These files and all that they need, directly or not. */
function closure(of: readonly SourceFile[]): SourceFile[] {
  const seen = new Set(of)
  for (const file of seen) for (const needed of needs(file)) seen.add(needed)
  return [...seen]
}
