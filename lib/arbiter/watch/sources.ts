/**
 * `reload`: the files that workers have loaded are watched, and a change reloads. It takes part in the loop as a ward that
 * has no process: it wants to be woken when things have come to rest.
 */
import type { LoadedConfig } from '../../config/load.ts'
import type { Log } from '../../log/log.ts'
import { type Ms, ms } from '../../units.ts'
import type { Notice } from '../surroundings.ts'
import { type Ward, WithoutProcess } from '../ward.ts'
import { FileWatch } from './files.ts'

/** After the last change: an editor, a compiler or a checkout writes several files. */
const REST = ms(150)
/** Files that the log names. */
const NAMED = 3

type Loaded = { readonly files: readonly string[]; readonly since: number }

export type SourceParts = {
  readonly log: Log
  readonly now: () => Ms
  readonly reload: () => void
  readonly wake: () => void
}

export class SourceWatch extends WithoutProcess implements Ward {
  readonly #parts: SourceParts
  readonly #watch: FileWatch | null
  /** What the workers of each generation have loaded. */
  readonly #loaded = new Map<number, Set<string>>()
  #always: readonly string[] = []
  #changed = new Set<string>()
  #reloadAt: Ms | null = null

  constructor(parts: SourceParts, loaded: LoadedConfig) {
    super()
    this.#parts = parts
    this.#watch = loaded.config.reload
      ? new FileWatch(
          (file) => this.#noteChange(file),
          (text) => parts.log.warning(`reload: ${text}`),
        )
      : null
    this.adopt(loaded)
  }

  /** Settings that were read again. */
  adopt({ config, file }: LoadedConfig): void {
    this.#always = [...config.reloadExtraFiles, ...(file === null ? [] : [file])]
    this.#watch?.add(this.#always)
  }

  /** A worker has loaded these, or looked for them. */
  loaded(generation: number, { files, since }: Loaded): void {
    if (this.#watch === null) return
    const known = this.#loaded.get(generation) ?? new Set()
    this.#loaded.set(generation, known)
    for (const file of files) known.add(file)
    this.#watch.add(files, since)
  }

  /** What only workers of an older generation had loaded is no part of the app any more. */
  noticed(notice: Notice): void {
    if (this.#watch === null || notice.kind !== 'reloaded') return
    for (const generation of this.#loaded.keys()) if (generation < notice.generation) this.#loaded.delete(generation)
    this.#watch.keep(new Set([...this.#always, ...[...this.#loaded.values()].flatMap((files) => [...files])]))
  }

  judge(now: Ms): void {
    if (this.#reloadAt === null || now < this.#reloadAt) return
    const files = [...this.#changed]
    this.#changed.clear()
    this.#reloadAt = null
    this.#parts.log.info('files have changed: reload', {
      files: files.slice(0, NAMED),
      ...(files.length > NAMED && { more: files.length - NAMED }),
    })
    this.#parts.reload()
  }

  deadline(): Ms | null {
    return this.#reloadAt
  }

  stop(): void {
    this.#watch?.close()
    this.#reloadAt = null
  }

  #noteChange(file: string): void {
    this.#changed.add(file)
    this.#reloadAt = ms(this.#parts.now() + REST)
    this.#parts.wake()
  }
}
