/**
 * Before all tests: marks the run, so that leaked processes are found, builds what is out of date, and installs the
 * frameworks where their tests are to run.
 */
import { execFileSync, spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { prepareApps, prepareLibraries } from './apps.ts'
import { isMadeElsewhere, openToEverybody } from './everybodys.ts'
import { MARK } from './leaks.ts'

const ROOT = join(__dirname, '..', '..')

module.exports = function setUp({ nonFlagArgs }: { readonly nonFlagArgs: readonly string[] }): void {
  const run = `${process.pid}-${Date.now()}`
  startGuardian(run)
  process.env[MARK] = run
  if (!isMadeElsewhere()) build()
  openToEverybody(ROOT)
  if (nonFlagArgs.length === 0 || nonFlagArgs.some((pattern) => pattern.includes('apps'))) prepareApps()
  if (nonFlagArgs.length === 0 || nonFlagArgs.some((pattern) => pattern.includes('mold'))) prepareLibraries()
}

/** It lives in a session of its own, and does not have the mark. */
function startGuardian(run: string): void {
  const args = ['-r', join(__dirname, 'typescript.js'), join(__dirname, 'guardian.ts'), run]
  const guardian = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  guardian.unref()
  ;(guardian.stdin as Socket).unref()
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
