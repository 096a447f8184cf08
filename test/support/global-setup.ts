/**
 * Before all tests: marks the run, so that leaked processes are found, builds what is out of date, and installs the
 * frameworks where their tests are to run.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { prepareApps, prepareLibraries } from './apps.ts'
import { isMadeElsewhere, openToEverybody } from './everybodys.ts'
import { MARK } from './leaks.ts'

const ROOT = join(__dirname, '..', '..')

module.exports = function setUp({ nonFlagArgs }: { readonly nonFlagArgs: readonly string[] }): void {
  process.env[MARK] = `${process.pid}-${Date.now()}`
  if (!isMadeElsewhere()) build()
  openToEverybody(ROOT)
  if (nonFlagArgs.length === 0 || nonFlagArgs.some((pattern) => pattern.includes('apps'))) prepareApps()
  if (nonFlagArgs.length === 0 || nonFlagArgs.some((pattern) => pattern.includes('mold'))) prepareLibraries()
}

function build(): void {
  if (newest('lib', '.ts') > newest('dist', '.js')) run('tsc', ['-p', 'tsconfig.json'])
  const sources = Math.max(newest('native', '.cc'), newest('native', '.h'), newest('.', 'binding.gyp', false))
  if (sources > newest('build/Release', '.node')) run('node-gyp', ['rebuild', '--silent'])
}

function run(tool: string, args: readonly string[]): void {
  execFileSync(join(ROOT, 'node_modules', '.bin', tool), args, { cwd: ROOT, stdio: 'inherit' })
}

function newest(folder: string, ending: string, recursive = true): number {
  try {
    const files = readdirSync(join(ROOT, folder), { recursive, encoding: 'utf8' })
    const times = files
      .filter((name) => name.endsWith(ending))
      .map((name) => statSync(join(ROOT, folder, name)).mtimeMs)
    return Math.max(0, ...times)
  } catch {
    return 0
  }
}
