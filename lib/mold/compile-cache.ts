import module from 'node:module'

/** Writes what the app has had compiled to Node's cache (`NODE_COMPILE_CACHE`), as Node itself does at its end: no mold has one. */
export const keepCompiled = (): void => (module as { flushCompileCache?(): void }).flushCompileCache?.()
