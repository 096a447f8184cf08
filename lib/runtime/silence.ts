/**
 * Molds that owe an answer and do not give it. One that is loaded does nothing but fork, which takes milliseconds: where
 * nothing comes of it, it is stopped, or hangs, or the machine is busy with something else. That is told first.
 */
import { earliest } from '../supervision/deadline.ts'
import { type Ms, ms } from '../units.ts'
import type { MoldProcess } from './mold-process.ts'

/** Then it is told. */
export const LATE = ms(2_000)
/** Then it is taken for one that hangs. */
export const HANGS = ms(10_000)

type Owing = Pick<MoldProcess, 'said'>
type Wait = {
  /** What the mold had said by then. */
  readonly said: number
  since: Ms
  stage: 'patient' | 'told' | 'over'
}

export type Silent<Mold> = { readonly mold: Mold; readonly how: 'late' | 'hangs' }

export class Silence<Mold extends Owing = MoldProcess> {
  readonly #waits = new Map<Mold, Wait>()

  /** Each is given once, when it comes to that. `owing`: who could answer now; `gap`: as in `Turn.judge`. */
  judge(owing: Iterable<Mold>, now: Ms, gap: Ms): Silent<Mold>[] {
    this.#look(owing, now)
    const silent: Silent<Mold>[] = []
    for (const [mold, wait] of this.#waits) {
      wait.since = ms(Math.min(now, wait.since + gap))
      if (now < (due(wait) ?? Infinity)) continue
      silent.push({ mold, how: wait.stage === 'patient' ? 'late' : 'hangs' })
      wait.stage = wait.stage === 'patient' ? 'told' : 'over'
    }
    return silent
  }

  /** When there may be something to judge; null: nobody owes anything. */
  deadline(owing: Iterable<Mold>, now: Ms): Ms | null {
    this.#look(owing, now)
    return [...this.#waits.values()].map(due).reduce(earliest, null)
  }

  #look(owing: Iterable<Mold>, now: Ms): void {
    const all = new Set(owing)
    for (const mold of this.#waits.keys()) if (!all.has(mold)) this.#waits.delete(mold)
    for (const mold of all)
      if (this.#waits.get(mold)?.said !== mold.said)
        this.#waits.set(mold, { said: mold.said, since: now, stage: 'patient' })
  }
}

function due({ since, stage }: Wait): Ms | null {
  if (stage === 'over') return null
  return ms(since + (stage === 'patient' ? LATE : HANGS))
}
