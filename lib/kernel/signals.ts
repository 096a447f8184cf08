import { constants } from 'node:os'
import type { Signal } from './kernel.ts'

const names: ReadonlyMap<number, Signal> = new Map(
  // Of two names for one number, such as SIGABRT and SIGIOT, the first is the usual one.
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as Signal]),
)

/** A signal's number (signal(7)); throws for a name that this system does not have. */
export function signalNumber(signal: Signal): number {
  const number = constants.signals[signal]
  if (number === undefined) throw new TypeError(`${String(signal)} is not a signal`)
  return number
}

/** A signal's name; a real-time signal, which Node has no name for, is `SIG34` to `SIG64`. */
export const signalName = (number: number): Signal => names.get(number) ?? (`SIG${number}` as Signal)

/** Whether this is a signal's name, such as `SIGTERM`. */
export const isSignal = (name: string): name is Signal => Object.hasOwn(constants.signals, name)
