/**
 * The folder that monoceros was started in, as its user named it: a link such as `/srv/current` stays a link, so that the
 * next reload finds what it points to by then. The kernel knows only what it pointed to at the start; shells keep the
 * name in PWD (POSIX, sh: "PWD"), which counts where it still is the same folder. Throws where there is none any more.
 */
import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'

export function workingFolder(env: Readonly<Record<string, string | undefined>>): string {
  const real = process.cwd()
  const named = env.PWD
  return named !== undefined && isAbsolute(named) && isSame(named, real) ? named : real
}

function isSame(named: string, real: string): boolean {
  try {
    const [one, other] = [statSync(named), statSync(real)]
    return one.dev === other.dev && one.ino === other.ino
  } catch {
    return false
  }
}
