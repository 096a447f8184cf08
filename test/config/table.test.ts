/** The table against the documentation, the help and the program that is to obey it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { helpText } from '../../lib/cli/help.ts'
import { settingsPage } from '../../lib/config/page.ts'
import { flagsOf } from '../../lib/config/setting.ts'
import { SECTIONS, SETTING_NAMES, SETTINGS, WORKER_SETTING_NAMES } from '../../lib/config/settings.ts'
import { EXIT_CODE } from '../../lib/exit-codes.ts'
import { sourceFiles } from '../support/imports.ts'

const ROOT = join(__dirname, '..', '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

test('docs/settings.md is what the table makes of it (npm run docs)', () => {
  expect(read('docs/settings.md')).toBe(settingsPage())
})

test('docs/settings.md has a heading for each setting and for nothing else', () => {
  const headings = [...read('docs/settings.md').matchAll(/^### (\w+)$/gm)].map((match) => match[1])
  expect([...headings].sort()).toEqual([...SETTING_NAMES].sort())
})

test('no setting is in two sections', () => {
  const names = SECTIONS.flatMap(({ rows }) => Object.keys(rows))
  expect([...names].sort()).toEqual([...SETTING_NAMES].sort())
})

test('--help names every flag', () => {
  const words = helpText(80)
    .replaceAll('[no-]', '')
    .split(/[\s,]+/)
  for (const name of SETTING_NAMES) for (const flag of flagsOf(name, SETTINGS[name])) expect(words).toContain(flag)
})

test('--help fits the terminal', () => {
  const widest = Math.max(
    ...helpText(80)
      .split('\n')
      .map((line) => line.length),
  )
  expect(widest).toBeLessThanOrEqual(100)
})

test('every default is a value that its own row accepts, and survives being written and read', () => {
  for (const name of SETTING_NAMES) {
    const { type, default: given } = SETTINGS[name]
    const once = type.check(given, { base: '/' })
    expect([name, once.ok]).toEqual([name, true])
    if (!once.ok || name === 'hooks') continue
    expect(type.check(type.format(once.value), { base: '/' })).toEqual(once)
    expect(JSON.parse(JSON.stringify(once.value))).toEqual(once.value)
  }
})

test('every setting has its sentence', () => {
  for (const name of SETTING_NAMES) expect(SETTINGS[name].doc).toMatch(/^[A-Z`].+[.`]$/s)
})

test('nothing that workers are sent is secret', () => {
  expect(WORKER_SETTING_NAMES.filter((name) => SETTINGS[name].secret)).toEqual([])
})

/** The program without the table and without comments. */
const program = sourceFiles()
  .filter(({ path }) => !/^(config|cli)\//.test(path) || path === 'config/load.ts')
  .map(({ code }) => code)
  .join('\n')

test('every setting is read by something outside of the table', () => {
  expect(SETTING_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(program))).toEqual([])
})

test('docs/exit-codes.md has each code under its name', () => {
  const rows = [...read('docs/exit-codes.md').matchAll(/^\| (\d) \| (\w+) \|/gm)].map((match) => [
    match[2],
    Number(match[1]),
  ])
  expect(Object.fromEntries(rows)).toEqual(EXIT_CODE)
})
