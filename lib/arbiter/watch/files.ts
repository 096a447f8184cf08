/**
 * Says when one of many files has changed. Folders are watched, not files: an editor that saves by renaming puts another
 * file in the place, and a build may remove a folder and make it again.
 */
import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Folders watched at most; inotify has limits of its own (max_user_watches, inotify(7)). */
const MOST_FOLDERS = 8192
/** Milliseconds between two looks for a folder that is gone. */
const LOOK_AGAIN = 250

type Folder = {
  readonly names: Map<string, string | null>
  watcher: FSWatcher | null
  /** Which folder of this path is watched: one that was removed and made again is another. */
  watched: string | null
}

export class FileWatch {
  readonly #changed: (file: string) => void
  readonly #trouble: (text: string) => void
  readonly #folders = new Map<string, Folder>()
  #timer: NodeJS.Timeout | undefined
  #told = false

  /** `changed`: this file is another one now, or new; one that is merely gone is not told. `trouble`: once, one line. */
  constructor(changed: (file: string) => void, trouble: (text: string) => void) {
    this.#changed = changed
    this.#trouble = trouble
  }

  /** How many files are watched. */
  get size(): number {
    return [...this.#folders.values()].reduce((sum, { names }) => sum + names.size, 0)
  }

  /**
   * Watches these as well; they need not be there yet. `since`: milliseconds of the epoch; a file that was written after
   * that has changed already.
   */
  add(files: Iterable<string>, since = Number.POSITIVE_INFINITY): void {
    for (const file of files) {
      const path = dirname(file)
      const folder = this.#folders.get(path) ?? this.#open(path)
      if (folder === null || folder.names.has(basename(file))) continue
      const stamp = stampOf(file)
      folder.names.set(basename(file), stamp?.text ?? null)
      if (stamp !== null && stamp.written > since) this.#changed(file)
    }
  }

  /** Ceases to watch all but these. */
  keep(files: ReadonlySet<string>): void {
    for (const [path, { names, watcher }] of this.#folders) {
      for (const name of [...names.keys()]) if (!files.has(join(path, name))) names.delete(name)
      if (names.size > 0) continue
      watcher?.close()
      this.#folders.delete(path)
    }
  }

  close(): void {
    this.keep(new Set())
    clearTimeout(this.#timer)
  }

  #open(path: string): Folder | null {
    if (this.#folders.size >= MOST_FOLDERS) {
      this.#tell(`more than ${MOST_FOLDERS} folders: the rest is not watched`)
      return null
    }
    const folder: Folder = { names: new Map(), watcher: null, watched: null }
    this.#folders.set(path, folder)
    this.#watch(path, folder)
    return folder
  }

  /** A folder that is not there is looked for again. */
  #watch(path: string, folder: Folder): void {
    try {
      const watcher = watch(path, { persistent: false }, (_event, name) => this.#look(path, folder, name))
      folder.watcher = watcher
      folder.watched = identityOf(path)
      watcher.on('error', () => this.#lost(folder))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.#tell(`cannot watch ${path}: ${code}`)
      this.#lost(folder)
    }
  }

  #look(path: string, folder: Folder, name: string | null): void {
    if (this.#folders.get(path) !== folder) return
    // Its own removal is told by its own name, and another may stand in its place by now.
    if (name === basename(path) && identityOf(path) !== folder.watched) this.#lost(folder)
    else if (name === null || folder.names.has(name)) this.#compare(path, folder, name)
  }

  #compare(path: string, { names }: Folder, only: string | null): void {
    for (const [name, before] of names) {
      if (only !== null && name !== only) continue
      const now = stampOf(join(path, name))?.text ?? null
      if (now === null || now === before) continue
      names.set(name, now)
      this.#changed(join(path, name))
    }
  }

  #lost(folder: Folder): void {
    folder.watcher?.close()
    folder.watcher = null
    this.#timer ??= setTimeout(() => this.#find(), LOOK_AGAIN).unref()
  }

  #find(): void {
    this.#timer = undefined
    for (const [path, folder] of this.#folders) {
      if (folder.watcher !== null) continue
      this.#watch(path, folder)
      if (folder.watcher !== null) this.#compare(path, folder, null)
    }
  }

  #tell(text: string): void {
    if (!this.#told) this.#trouble(text)
    this.#told = true
  }
}

/** Inode numbers are given again, to the next folder at once: hence the time of its birth. */
function identityOf(folder: string): string | null {
  try {
    const { dev, ino, birthtimeNs } = statSync(folder, { bigint: true })
    return `${dev} ${ino} ${birthtimeNs}`
  } catch {
    return null
  }
}

/** Another stamp: another content, as far as can be told without reading it. Null: not there. */
function stampOf(file: string): { readonly text: string; readonly written: number } | null {
  try {
    const { mtimeMs, mtimeNs, size, ino } = statSync(file, { bigint: true })
    return { text: `${mtimeNs} ${size} ${ino}`, written: Number(mtimeMs) }
  } catch {
    return null
  }
}
