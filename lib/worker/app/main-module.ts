/** The app's file as Node's own entry: when its evaluation has begun, and what it exports in the end. */
import { importFile } from './import-file.ts'

let waiting: (() => void) | null = null

/**
 * Calls back in the turn after Node began with the main module: an `import()` of it before that would make ours the first
 * one, and the app would find `import.meta.main` false. `imports`: `begun.js` will say when.
 */
export const whenMainHasBegun = (imports: boolean, callback: () => void): void => {
  if (imports) waiting = callback
  else setImmediate(callback)
}

/** Said by `begun.js`. */
export const mainIsNext = (): void => {
  if (waiting !== null) setImmediate(waiting)
  waiting = null
}

/** What the main module exports; null when its evaluation failed, which Node reports itself. */
export const evaluatedMain = async (): Promise<{ readonly value: unknown } | null> => {
  const { mainModule } = process
  // A CommonJS app needs no ESM loader; it was evaluated before the first turn of the loop.
  if (mainModule?.loaded === true) return { value: mainModule.exports }
  try {
    return { value: await importFile(require.resolve(process.argv[1] ?? '')) }
  } catch {
    return null
  }
}
