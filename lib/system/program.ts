/** Finding a program as a shell does (execvp(3)): the kernel's spawn takes absolute paths only. */
import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'

/** Where programs are looked for without a PATH (confstr(3), _CS_PATH). */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'

/**
 * The absolute path of a program. A name with a slash is relative to `cwd`; others are looked for in `path`, whose
 * relative parts are relative to `cwd` too. Throws an `Error` of one line where there is none.
 */
export function findProgram(name: string, path: string | undefined, cwd: string): string {
  if (isAbsolute(name)) return name
  if (name.includes('/')) return resolve(cwd, name)
  for (const directory of (path ?? DEFAULT_PATH).split(':')) {
    const candidate = resolve(cwd, directory, name)
    if (isProgram(candidate)) return candidate
  }
  throw new Error(`there is no program "${name}" in PATH (${path ?? DEFAULT_PATH})`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
