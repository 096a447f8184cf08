/** When the app has been loaded, as far as the mold can bring it. */
import { type Ms, ms } from '../units.ts'
import type { RecordedListen } from './recorded-listen.ts'

/** Between two looks whether anything goes on, in milliseconds. */
const LOOK_EVERY = ms(10)
/** So often in a row nothing may, for the app to be at rest: what it loads in turns is not visible between two of them. */
const LOOKS = 20

/** Node's own, whatever the app puts in its place. */
const [repeat, stop] = [setInterval, clearInterval]

export type LoadingParts = {
  readonly listen: Pick<RecordedListen, 'count'>
  /** What is open or in flight. */
  open(): readonly string[]
  /** What is left of the time for loading. */
  readonly left: Ms
}

export class Loading {
  readonly #parts: LoadingParts
  #isMold = true
  #atRest: () => void = () => undefined

  /**
   * Before the app is loaded. That a mold has nothing left to do is not the app's end: as long as it is to listen, no
   * `beforeExit` of the mold comes to the app's ears.
   */
  constructor(parts: LoadingParts) {
    this.#parts = parts
    const emit = process.emit as (event: string | symbol, ...args: unknown[]) => boolean
    const takes = (event: string | symbol): boolean => {
      if (event !== 'beforeExit' || !this.#isMold || parts.listen.count() === 0) return false
      this.#atRest()
      // Promises go on in a turn of the loop only.
      setImmediate(() => undefined)
      return true
    }
    process.emit = function (this: NodeJS.Process, event: string | symbol, ...args: unknown[]): boolean {
      return takes(event) || Reflect.apply(emit, this, [event, ...args])
    } as typeof process.emit
  }

  /** Everything is loaded: from now on all events are the app's. */
  end(): void {
    this.#isMold = false
  }

  /**
   * Resolves when the app was evaluated, or awaits at its top level what comes in its children only: it is to listen, and
   * nothing but timers goes on. The same when its time is over while something is open: that can be named. `late`:
   * called when it is over without anything to listen on.
   */
  async done<T>(evaluating: Promise<T>, late: () => void): Promise<T | 'atRest'> {
    const { listen } = this.#parts
    let looks = 0
    let count = 0
    let timer: NodeJS.Timeout | undefined
    const atRest = new Promise<'atRest'>((resolve) => {
      this.#atRest = () => resolve('atRest')
      const look = (): void => {
        const isLate = this.#parts.left === 0
        const rests = listen.count() > 0 && listen.count() === count && this.#parts.open().length === 0
        looks = rests ? looks + 1 : 0
        count = listen.count()
        if (looks >= LOOKS || (isLate && count > 0)) this.#atRest()
        else if (isLate) late()
      }
      timer = repeat(look, LOOK_EVERY).unref()
    })
    return Promise.race([evaluating, atRest]).finally(() => stop(timer))
  }
}
