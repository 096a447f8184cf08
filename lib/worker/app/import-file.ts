/** Imports a module of the app by its path: CommonJS, ESM, and TypeScript where Node runs it. */
import { pathToFileURL } from 'node:url'

/** Absolute; as a URL, because a path may hold characters that mean something there. */
export const importFile = (path: string): Promise<unknown> => {
  const url = pathToFileURL(path).href
  return import(url)
}
