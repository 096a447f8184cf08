/** When a worker is ready. Pure. */
export type Readiness = {
  /** The app's module was evaluated, top-level await included. */
  readonly evaluated: boolean
  /** A server of the app accepts connections. */
  readonly listening: boolean
  /** It has done so for a while: a module that never finishes (it awaits its own end) must not keep it from being ready. */
  readonly settled: boolean
  /** `waitReady`: the app says itself when. */
  readonly waitReady: boolean
  /** It did say so. */
  readonly said: boolean
}

export const START: Omit<Readiness, 'waitReady'> = { evaluated: false, listening: false, settled: false, said: false }

export const isReady = ({ evaluated, listening, settled, waitReady, said }: Readiness): boolean =>
  waitReady ? said : listening && (evaluated || settled)
