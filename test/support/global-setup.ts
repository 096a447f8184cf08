/**
 * Before all tests: marks the run, so that leaked processes are found, builds `dist/` where it is out of date, and
 * installs the frameworks where their tests are to run.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { prepareApps } from './apps.ts'
import { MARK } from './leaks.ts'

const ROOT = join(__dirname, '..', '..')

module.exports = function setUp({ nonFlagArgs }: { readonly nonFlagArgs: readonly string[] }): void {
  process.env[MARK] = `${process.pid}-${Date.now()}`
  if (newest(join(ROOT, 'lib'), '.ts') > newest(join(ROOT, 'dist'), '.js')) {
    execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(ROOT, 'tsconfig.json')], { stdio: 'inherit' })
  }
  if (nonFlagArgs.length === 0 || nonFlagArgs.some((pattern) => pattern.includes('apps'))) prepareApps()
}

function newest(folder: string, extension: string): number {
  try {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(extension))
    return Math.max(0, ...files.map((name) => statSync(join(folder, name)).mtimeMs))
  } catch {
    return 0
  }
}
