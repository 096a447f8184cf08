/** Makes a program meet what the kernel or Node seldom does: see `faults.c`. */
import { join } from 'node:path'
import { compiled } from './compile.ts'

/** What a test may ask for: by a file, whose word counts at the next fork, or for the whole life of the program. */
export type Faults = { readonly FAULTS_AT?: string; readonly LACKS?: string }

let library: string | null = null

/** The environment of a program that meets them. */
export function faults(which: Faults): Readonly<Record<string, string>> {
  library ??= compiled(join(__dirname, 'faults.c'), '-shared', '-fPIC', '-ldl')
  return { LD_PRELOAD: [process.env.LD_PRELOAD, library].filter(Boolean).join(':'), ...which }
}
