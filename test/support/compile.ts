/** C programs of the tests, compiled when they are needed: a compiler is there, since the addon needs one. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { temporaryFolder } from './folder.ts'

/** Compiles a C file of the tests to a program (or, with `-shared`, a library) and returns its path. */
export function compiled(source: string, ...options: readonly string[]): string {
  const output = join(temporaryFolder(), 'compiled')
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', ...options, '-o', output, source], { stdio: 'pipe' })
  return output
}
