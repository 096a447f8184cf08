/** From the evaluated module to a worker that serves: waits for the app to listen, or makes what it exports listen. */
import { formatAddress } from '../../config/address.ts'
import type { ListenerAddress } from '../../kernel/kernel.ts'
import { ms } from '../../units.ts'
import { listenWith, resolveApp, unusable } from './export-server.ts'
import { type App, candidates, exported, named, recognize, type Target } from './exports.ts'
import type { Faults } from './faults.ts'
import type { SchemeOf } from './fetch.ts'
import { isReady, type Readiness, START } from './readiness.ts'

/** After so long a worker that listens is ready although its module still awaits something. */
const SETTLED = ms(1_000)
/** When to say that an export waits for its name, because the app neither listens nor comes to rest. */
const HINT = ms(10_000)

export type BootParts = {
  readonly file: string
  readonly faults: Faults
  readonly waitReady: boolean
  readonly schemeOf?: SchemeOf
  /** Where an export is served. */
  readonly target: Target
  /** What accepts connections now: none as long as nothing serves `bind`, where that is set. */
  listening(): readonly ListenerAddress[]
  /** The same, whether or not `bind` is served; none for a worker that need not say so, because another does. */
  elsewhere(): readonly ListenerAddress[]
  ready(addresses: readonly ListenerAddress[]): void
  warn(text: string): void
}

export class Boot {
  readonly #parts: BootParts
  #readiness: Readiness
  #settling = false
  #done = false
  /** Another life has begun, with a boot of its own. */
  #past = false

  constructor(parts: BootParts) {
    this.#parts = parts
    this.#readiness = { ...START, waitReady: parts.waitReady }
  }

  /** The app called `process.send('ready')`. */
  said(): void {
    this.#change({ said: true })
  }

  /** The evaluation of the app's module failed, and the app goes on nevertheless. */
  failed(): void {
    this.#parts.faults.idle = `${this.#parts.file} does not listen`
  }

  /** Another life: the app was evaluated in one before this, and said then that it was ready if it did. */
  again(): void {
    this.failed()
    this.#change({ evaluated: true, said: true })
  }

  /** This life is over. */
  end(): void {
    this.#past = true
    this.#done = true
  }

  /** A server of the app accepts connections. */
  accepting(): void {
    if (this.#done) return
    if (!this.#settling) {
      this.#settling = true
      setTimeout(() => {
        this.#change({ settled: true })
        this.#complain()
      }, SETTLED).unref()
    }
    this.#change({})
  }

  /** `FILE`: its module was evaluated. What it exports is served when nothing is left to do and it does not listen. */
  evaluated(exports: unknown): void {
    this.#change({ evaluated: true })
    if (this.#done) return
    const { file, faults } = this.#parts
    faults.idle = `${file} neither listens nor exports an app: it ${exported(exports)}`
    process.once('beforeExit', () => {
      if (!this.#past && !this.#isListening()) void this.#serveAny(exports)
    })
    const app = candidates(exports).find((value) => recognize(value).kind !== 'none')
    if (app === undefined) return
    setTimeout(() => {
      if (!this.#past && !this.#isListening())
        this.#parts.warn(
          `${file} does not listen yet, but exports an app; to serve that, name it, as in ${file}:default`,
        )
    }, HINT).unref()
  }

  /** `FILE:EXPORT`: loads the module, and serves the export of that name. */
  async load(importing: Promise<unknown>, name: string): Promise<void> {
    let namespace: unknown
    try {
      namespace = await importing
    } catch (error) {
      // An Error goes on to whoever judges all that nobody caught; anything else would come there in disguise.
      if (error instanceof Error) throw error
      return this.#parts.faults.threw(error)
    }
    await this.#serve(namespace, name)
  }

  async #serve(namespace: unknown, name: string): Promise<void> {
    const { file, faults } = this.#parts
    const value = named(namespace, name)
    if (value === undefined) {
      return faults.end({
        fault: 'unusableExport',
        text: `${file} has no export "${name}"; it ${exported(namespace)}`,
      })
    }
    faults.idle = `${file}:${name} has nothing left to do, but does not listen`
    const app = await this.#resolve(value, `${file}:${name} is`)
    this.#change({ evaluated: true })
    if (app.kind === 'none') {
      // A factory may have made its app listen.
      if (this.#isListening()) return
      return faults.end({ fault: 'unusableExport', text: unusable(app.what, `${file}:${name}`) })
    }
    await this.#listen(app)
  }

  async #serveAny(exports: unknown): Promise<void> {
    for (const value of candidates(exports)) {
      const app = await this.#resolve(value, `${this.#parts.file} exports`)
      if (this.#isListening()) return
      if (app.kind !== 'none') return this.#listen(app)
    }
  }

  /** `subject`: what is said where it never comes to an end. */
  async #resolve(value: unknown, subject: string): Promise<App> {
    const { faults } = this.#parts
    const { idle } = faults
    faults.idle = `${subject} ${typeof value === 'function' ? 'a function that gives a promise' : 'a promise'} that nothing settles`
    try {
      const app = await resolveApp(value)
      faults.idle = idle
      return app
    } catch (error) {
      return faults.threw(error)
    }
  }

  async #listen(app: App): Promise<void> {
    const { target, schemeOf, faults } = this.#parts
    try {
      await listenWith(app, target, schemeOf)
    } catch (error) {
      faults.threw(error)
    }
  }

  /** An app that means to serve `bind` later, or says itself when it is ready, is told no more than this. */
  #complain(): void {
    const { file, elsewhere, warn } = this.#parts
    const addresses = elsewhere()
    if (addresses.length === 0 || this.#isListening()) return
    const where = addresses.map(formatAddress).join(', ')
    warn(`${file} listens on ${where}, but not on bind, where only an HTTP server is led that names a port`)
  }

  #isListening(): boolean {
    return this.#parts.listening().length > 0
  }

  #change(change: Partial<Readiness>): void {
    const addresses = this.#parts.listening()
    this.#readiness = { ...this.#readiness, ...change, listening: addresses.length > 0 }
    if (this.#done || !isReady(this.#readiness)) return
    this.#done = true
    this.#parts.faults.settle()
    this.#parts.ready(addresses)
  }
}
