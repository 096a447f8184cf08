/**
 * `reload`: which files the app has loaded, as it loads them, also those that then fail to load. Both module systems of
 * Node are observed where they turn a specifier into a file; what they do is left as it is.
 */
import { existsSync } from 'node:fs'
import Module, { register } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

type ResolveFilename = (request: string, parent: { filename?: string } | null, ...rest: unknown[]) => string
type Resolved = { readonly url: string }
type Hooks = {
  resolve(specifier: string, context: { parentURL?: string }, next: (...given: unknown[]) => Resolved): Resolved
}
type Insides = {
  _resolveFilename: ResolveFilename
  /** Node 22.15 and 23.5. */
  readonly registerHooks?: (hooks: Hooks) => void
}

/** What an extension of a file that is missing may be. */
const EXTENSIONS = ['', '.js', '.cjs', '.mjs', '.ts', '.cts', '.mts', '.json', '/index.js']
/** Files gathered for one report. */
const GATHER = 20
/** Absolute paths of one report, well below what a datagram takes. */
const MOST = 400

/** Absolute paths, and a time (milliseconds since the epoch) before any of them was read. */
type ReportImports = (files: readonly string[], since: number) => void

/**
 * `report` is told of each file once, in batches of at most 400, a moment after it is loaded or when the returned function
 * is called. Call it before any code of the app.
 */
export const watchImports = (report: ReportImports): (() => void) => {
  const known = new Set<string>()
  let fresh: string[] = []
  let since = 0
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    for (; fresh.length > 0; fresh = fresh.slice(MOST)) report(fresh.slice(0, MOST), since)
  }
  const note = (file: string): void => {
    if (known.has(file)) return
    known.add(file)
    if (fresh.length === 0) since = Date.now()
    fresh.push(file)
    timer ??= setTimeout(flush, GATHER).unref()
  }
  observeRequire(note)
  const noteUrl = (url: string): void => {
    if (url.startsWith('file:')) note(fileURLToPath(url))
  }
  const hearRest = observeImport(noteUrl, note)
  const flushAll = (): void => {
    hearRest()
    flush()
  }
  // An app that fails to load ends before the timer fires.
  process.on('exit', flushAll)
  return flushAll
}

const observeRequire = (note: (file: string) => void): void => {
  const insides = Module as unknown as Insides
  const original = insides._resolveFilename
  insides._resolveFilename = function (this: unknown, request, parent, ...rest) {
    try {
      const file = Reflect.apply(original, this, [request, parent, ...rest])
      if (file.startsWith('/')) note(file)
      return file
    } catch (error) {
      if (parent?.filename !== undefined) noteMissing(request, parent.filename, note)
      throw error
    }
  }
}

/** Gives a function that hears what another thread has seen and not been heard to say. */
const observeImport = (seen: (url: string) => void, note: (file: string) => void): (() => void) => {
  const { registerHooks } = Module as unknown as Insides
  if (registerHooks !== undefined) {
    registerHooks({
      resolve(specifier, context, next) {
        try {
          const resolved = next(specifier, context)
          seen(resolved.url)
          return resolved
        } catch (error) {
          if (context.parentURL?.startsWith('file:')) noteMissing(specifier, fileURLToPath(context.parentURL), note)
          throw error
        }
      },
    })
    return () => undefined
  }
  // Older ones resolve in a thread of their own.
  const { port1, port2 } = new MessageChannel()
  port1.on('message', (url: string) => seen(url))
  port1.unref()
  register(OBSERVER, { data: { port: port2 }, transferList: [port2] })
  return () => {
    for (let parcel = receiveMessageOnPort(port1); parcel !== undefined; parcel = receiveMessageOnPort(port1))
      seen(parcel.message as string)
  }
}

const OBSERVER = `data:text/javascript,${encodeURIComponent(`
let port
export const initialize = (data) => { port = data.port }
export const resolve = async (specifier, context, next) => {
  try {
    const resolved = await next(specifier, context)
    port.postMessage(resolved.url)
    return resolved
  } catch (error) {
    if (error.url) port.postMessage(error.url)
    throw error
  }
}`)}`

/** What was looked for and is not there: once it is, the app may load. */
const noteMissing = (specifier: string, from: string, note: (file: string) => void): void => {
  if (!/^\.{0,2}\//.test(specifier)) return
  const path = resolve(dirname(from), specifier)
  if (!existsSync(dirname(path))) return
  for (const extension of EXTENSIONS) note(path + extension)
}
