import { setFlagsFromString } from 'node:v8'

/** From now on functions are compiled when they are called, as V8 would: an app's graph may be large and mostly unused. */
export const compileLazily = (): void => setFlagsFromString('--lazy')
