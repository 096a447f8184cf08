/**
 * What modules leave of themselves in the process that they are loaded into, from which all companions are forked: their
 * listeners on `process`, mask, exit code and title. Each companion gets what its own module, and what that loads, would
 * have left in a process of its own; where that cannot be told, it is to have one.
 *
 *   listener    is the doing of the module that was being evaluated when it was added, or had begun what ran then
 *   state       of any of those that were evaluated for the first time between the two looks at it
 */
import { evaluating } from './evaluating.ts'
import { type Part, pathOf, watchModules } from './module-graph.ts'

/** Of the process; what is not a listener. */
const STATE = {
  umask: { read: () => process.umask(), write: (value) => process.umask(value as number) },
  exitCode: {
    read: () => process.exitCode,
    write: (value) => {
      process.exitCode = value as number | undefined
    },
  },
  title: {
    read: () => process.title,
    write: (value) => {
      process.title = value as string
    },
  },
  // Which one it was nobody can ask.
  uncaughtExceptionCaptureCallback: {
    read: () => process.hasUncaughtExceptionCaptureCallback(),
    write: () => process.setUncaughtExceptionCaptureCallback(null),
  },
} satisfies Readonly<Record<string, { read(): unknown; write(value: unknown): void }>>

type Name = keyof typeof STATE
const NAMES = Object.keys(STATE) as Name[]
type State = ReadonlyMap<Name, unknown>

/** Who did something: a file, where it can be seen, while the module of that place was loaded. */
type Doer = { readonly file: string | null; readonly during: number }
type Listener = (...args: unknown[]) => void
type Listening = {
  readonly event: string | symbol
  readonly listener: Listener
  readonly added: Doer
  removed: Doer | null
}
/** The loading of one module: its file, what was loaded for the first time, what of the state it has changed. */
type Load = { readonly file: string | null; readonly files: ReadonlySet<string>; readonly left: State }

/** Of no module: before and after all of them. */
const NONE = -1

export class Traces {
  readonly #graph = watchModules()
  readonly #listenings: Listening[] = []
  /** By place. */
  readonly #loads: Load[] = []
  readonly #parts = new Map<string, Part>()
  #during = NONE

  constructor() {
    process.on('newListener', this.#added)
    process.on('removeListener', this.#removed)
  }

  /** The module of that place is loaded from now on, until the result is called with its file; null: it has none. */
  begin(at: number): (file: string | null) => void {
    const state = stateNow()
    const files = this.#graph.files()
    this.#during = at
    return (file) => {
      this.#during = NONE
      const left = [...stateNow()].filter(([name, value]) => value !== state.get(name))
      for (const [name] of left) STATE[name].write(state.get(name))
      const fresh = [...this.#graph.files()].filter((one) => !files.has(one))
      this.#loads[at] = { file, files: new Set(fresh), left: new Map(left) }
    }
  }

  /** All is loaded, and at rest. */
  stop(): void {
    process.off('newListener', this.#added)
    process.off('removeListener', this.#removed)
    this.#graph.stop()
  }

  /** Why a companion of the module of that place is to have a process of its own; null: it can be forked. */
  whyNot(at: number): string | null {
    for (const { event, added, removed } of this.#listenings) {
      const isOwn = this.#isOf(at, added)
      const what = `listen to ${String(event)}`
      if (isOwn === null && removed === null) return unknown(what, this.#nameOf(added))
      if (isOwn !== false && removed !== null && !this.#isOf(at, removed))
        return unknown(`no longer ${what}`, this.#nameOf(removed))
    }
    const own = this.#loadOf(at)
    if (own?.left.has('uncaughtExceptionCaptureCallback')) return 'its module sets an uncaughtExceptionCaptureCallback'
    const { files, isWhole } = this.#partOf(at)
    for (const load of this.#loads) {
      const [name] = [...load.left.keys()].filter((one) => one !== 'title')
      if (name === undefined || load === own) continue
      if (!isWhole || [...load.files].some((one) => files.has(one))) return unknown(`set the ${name}`, load.file)
    }
    return null
  }

  /** In a companion of the module of that place: what others left is taken away. The mask that its own module has set. */
  keep(at: number): number | undefined {
    for (const { event, listener, added, removed } of this.#listenings)
      if (removed === null && this.#isOf(at, added) === false) process.removeListener(event, listener)
    const left: State = this.#loadOf(at)?.left ?? new Map()
    for (const [name, value] of left) if (name !== 'umask') STATE[name].write(value)
    return left.get('umask') as number | undefined
  }

  /** Where it was loaded: for the first of those whose file it is, found from different directories. */
  #loadOf(at: number): Load | undefined {
    return this.#loads.find(({ file }) => file === this.#loads[at]?.file)
  }

  readonly #added = (event: string | symbol, listener: Listener): void => {
    const by = evaluating()
    if (by !== 'node') this.#listenings.push({ event, listener, added: this.#doer(by), removed: null })
  }

  readonly #removed = (event: string | symbol, listener: Listener): void => {
    const at = this.#listenings.findLastIndex(
      (one) => one.event === event && one.listener === listener && one.removed === null,
    )
    const found = this.#listenings[at]
    if (found === undefined) return
    const by = evaluating()
    if (by === 'node' || pathOf(by) === found.added.file) this.#listenings.splice(at, 1)
    else found.removed = this.#doer(by)
  }

  /** Of what Node's own loader has not loaded, nobody knows who else would. */
  #doer(by: string | null): Doer {
    const file = pathOf(by)
    const isKnown = file !== null && (by!.startsWith('file:') || this.#graph.has(file))
    return { file: isKnown ? file : null, during: this.#during }
  }

  /** Whether it would have been done in a process of that module alone; null: that is not known. */
  #isOf(at: number, { file, during }: Doer): boolean | null {
    const { files, isWhole } = this.#partOf(at)
    if (file !== null && files.has(file)) return true
    if (file !== null && isWhole) return false
    // What another one is known to load may have gone on while this one was loaded.
    const isOther = this.#loads.some((_, other) => file !== null && this.#partOf(other).files.has(file))
    return during === at && !isOther ? true : null
  }

  #partOf(at: number): Part {
    const file = this.#loads[at]?.file ?? ''
    const part = this.#parts.get(file) ?? this.#graph.part(file)
    this.#parts.set(file, part)
    return part
  }

  #nameOf({ file, during }: Doer): string | null {
    return file ?? this.#loads[during]?.file ?? null
  }
}

const stateNow = (): State => new Map(NAMES.map((name) => [name, STATE[name].read()]))

const unknown = (what: string, file: string | null): string =>
  `whether its own module would ${what}, as ${file ?? 'another'} does since it was loaded, is not known`
