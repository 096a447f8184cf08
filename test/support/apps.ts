/**
 * The frameworks that tests host: a package of their own in `test/apps`, because an app brings its framework and
 * monoceros depends on none. Installed and built when they are wanted for the first time.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const APPS = join(__dirname, '..', 'apps')

/** Next.js' built server: what one would copy to a machine. */
export const NEXT_SERVER = join(APPS, 'next', '.next', 'standalone', 'next', 'server.js')

/** Libraries that keep randomness or connections of their own, for the tests of preload. */
export const LIBRARIES = join(__dirname, '..', 'mold', 'libraries')

/** Installs by the lock file and builds the Next.js app, where that has not been done since either changed. */
export function prepareApps(): void {
  const installed = install(APPS)
  if (isOlder(NEXT_SERVER, installed)) {
    const next = join(APPS, 'node_modules', 'next', 'dist', 'bin', 'next')
    execFileSync(process.execPath, [next, 'build'], { cwd: join(APPS, 'next'), stdio: 'pipe', env: environment() })
  }
}

export function prepareLibraries(): void {
  install(LIBRARIES)
}

/** The file that npm writes when it has installed by the lock file; installs where that is newer. */
function install(folder: string): string {
  const lock = join(folder, 'package-lock.json')
  const installed = join(folder, 'node_modules', '.package-lock.json')
  if (isOlder(installed, lock)) {
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', ['ci', ...quiet], { cwd: folder, stdio: 'inherit', env: environment() })
  }
  return installed
}

const isOlder = (made: string, source: string): boolean =>
  !existsSync(made) || statSync(made).mtimeMs < statSync(source).mtimeMs

/** Without what npm and jest say to their own children: an outer `npm ci` would pass its options on. */
const environment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|JEST_)/.test(name))),
  NEXT_TELEMETRY_DISABLED: '1',
})
