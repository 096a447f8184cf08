/** Serves what a module exports: finds out what it is, and makes it listen. */
import http from 'node:http'
import type { Server } from 'node:net'
import { ACCEPTED, type App, recognize, type Target } from './exports.ts'
import { fetchHandler, type SchemeOf } from './fetch.ts'

/** A factory may give a promise, which may give a factory; an endless chain is a mistake. */
const DEPTH = 4

/** The app behind promises and factories. Rejects with the app's own error. */
export const resolveApp = async (value: unknown): Promise<App> => {
  let app = recognize(await value)
  for (let depth = 0; app.kind === 'factory' && depth < DEPTH; depth++) {
    const made: unknown = await app.make()
    app = recognize(made)
    if (app.kind === 'none') return { kind: 'none', what: `a function that gives ${app.what}` }
  }
  return app.kind === 'factory' ? { kind: 'none', what: 'a function that gives only more functions' } : app
}

/** What cannot be served, for the log. */
export const unusable = (what: string, of: string): string => `${of} is ${what}; it must be ${ACCEPTED}`

/**
 * Makes the app listen; rejects with the error of `listen`. Gives the server where we made it ourselves, so that it can
 * yield to one of the app's own.
 */
export const listenWith = async (app: App, target: Target, schemeOf?: SchemeOf): Promise<Server | null> => {
  switch (app.kind) {
    case 'handler':
      return listening(http.createServer(app.handler), target)
    case 'fetch':
      return listening(http.createServer(fetchHandler(app.fetch, schemeOf)), target)
    case 'server':
      if (!app.server.listening) await listening(app.server, target)
      return null
    case 'self':
      await app.listen(target)
      return null
    case 'factory':
    case 'none':
      throw new TypeError('not an app')
  }
}

const listening = (server: Server, target: Target): Promise<Server> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(target, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
