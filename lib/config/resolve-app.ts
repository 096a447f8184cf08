/** Finds the app's file. */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { AppName } from './app.ts'

/** An app to load: an absolute path, and the export to serve (null: the file is an entry of its own). */
export type App = { readonly file: string; readonly export: string | null }

export type ResolvedApp =
  | { readonly kind: 'found'; readonly app: App }
  | { readonly kind: 'missing'; readonly text: string }

/** What may be left out of a file's name. */
const EXTENSIONS = ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts']

/**
 * As `node FILE` finds it, and with every extension that Node runs: the file itself, the file with an extension, or a
 * folder's `main` (package.json) or `index`. Symbolic links stay as they are. `text` is one line.
 */
export function resolveApp(name: AppName, cwd: string): ResolvedApp {
  const path = resolve(cwd, name.file)
  const candidates = [path, ...EXTENSIONS.map((extension) => `${path}.${extension}`)]
  if (kindOf(path) === 'folder')
    candidates.push(...mains(path), ...EXTENSIONS.map((extension) => join(path, `index.${extension}`)))
  const file = candidates.find((candidate) => kindOf(candidate) === 'file')
  if (file === undefined) return { kind: 'missing', text: absence(name, path) }
  try {
    closeSync(openSync(file, 'r'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { kind: 'missing', text: `${name.file}: ${code === 'EACCES' ? `no permission to read ${file}` : message}` }
  }
  return { kind: 'found', app: { file, export: name.export } }
}

/** What cannot be looked at (no permission on the way, a loop of links) is not there for us. */
function kindOf(path: string): 'file' | 'folder' | 'nothing' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch {
    return 'nothing'
  }
}

function mains(folder: string): string[] {
  try {
    const { main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { main?: unknown }
    return typeof main === 'string'
      ? [join(folder, main), ...EXTENSIONS.map((extension) => join(folder, `${main}.${extension}`))]
      : []
  } catch {
    return []
  }
}

function absence(name: AppName, path: string): string {
  if (kindOf(path) === 'folder')
    return `${name.file}: is a folder without an entry (package.json "main", or an index file)`
  return `${name.file}: no such file (${path})`
}
