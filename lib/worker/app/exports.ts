/** What a module exports, seen as an app. */
import type { RequestListener } from 'node:http'
import net from 'node:net'
import type { Fetch } from './fetch.ts'

/** Where an app that does not know its address is told to listen. */
export type Target = { readonly host: string; readonly port: number }

export type App =
  | { readonly kind: 'handler'; readonly handler: RequestListener }
  | { readonly kind: 'server'; readonly server: net.Server }
  /** Prepares itself and then listens by a method of its own (Fastify, NestJS). */
  | { readonly kind: 'self'; readonly listen: (target: Target) => Promise<unknown> }
  | { readonly kind: 'fetch'; readonly fetch: Fetch }
  | { readonly kind: 'factory'; readonly make: () => unknown }
  /** Not an app; `what` says what it is. */
  | { readonly kind: 'none'; readonly what: string }

/** What errors say is accepted. */
export const ACCEPTED =
  'a (req, res) function, an http.Server, a Fastify, Koa or NestJS app, an object with fetch(Request), or a promise or factory of one of these'

type Method = (...args: never[]) => unknown
type Thing = Readonly<Record<string, unknown>>

/** Recognizes an app by what it is or can do, never by a package's name. Promises are to be awaited before. */
export const recognize = (value: unknown): App => {
  if (value instanceof net.Server) return { kind: 'server', server: value }
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return none(value)
  const thing = value as Thing
  // Fastify: `inject` and `ready`; its `listen` runs its hooks.
  if (has(thing, 'listen', 'ready', 'inject') && thing.server instanceof net.Server) {
    const fastify = value as { listen(target: Target): Promise<unknown> }
    return { kind: 'self', listen: (target) => fastify.listen(target) }
  }
  // NestJS: INestApplication.
  if (has(thing, 'listen', 'getHttpServer', 'init')) {
    const nest = value as { listen(port: number, host: string): Promise<unknown> }
    return { kind: 'self', listen: ({ port, host }) => nest.listen(port, host) }
  }
  // Koa: `callback()` gives the handler.
  if (typeof value === 'object' && has(thing, 'callback', 'use') && Array.isArray(thing.middleware)) {
    return { kind: 'handler', handler: (value as { callback(): RequestListener }).callback() }
  }
  if (typeof value === 'object' || !isCallable(value)) {
    if (has(thing, 'fetch')) {
      const fetching = value as { fetch: Fetch }
      return { kind: 'fetch', fetch: (request, context) => fetching.fetch(request, context) }
    }
    return none(value)
  }
  const callable = value as RequestListener & Method
  if (callable.length >= 2) return { kind: 'handler', handler: callable }
  if (callable.length === 0) return { kind: 'factory', make: () => (callable as () => unknown)() }
  return none(value)
}

/**
 * The values of a module worth a look when no export was named, best first: what is exported as a whole, then the usual
 * names. `exports` is `module.exports` or a module namespace.
 */
export const candidates = (exports: unknown): readonly unknown[] => {
  const found: unknown[] = []
  const add = (value: unknown) => {
    if (value !== undefined && value !== null && !found.includes(value)) found.push(value)
  }
  const whole = property(exports, 'default')
  // A CommonJS module compiled from ESM, imported by `import()`, has its default one level deeper.
  add(property(whole, 'default'))
  add(whole)
  add(exports)
  for (const name of ['app', 'server', 'handler']) {
    add(property(exports, name))
    add(property(whole, name))
  }
  return found
}

/** The export of that name; `undefined` where there is none. `default` is also a CommonJS module's whole export. */
export const named = (namespace: unknown, name: string): unknown => {
  const whole = property(namespace, 'default')
  if (name === 'default') return property(whole, 'default') ?? whole
  return property(namespace, name) ?? property(whole, name)
}

/** What a module exports, for an error: continues "it …". `exports` as for `candidates`. */
export const exported = (exports: unknown): string => {
  const whole = property(exports, 'default')
  const found = [exports, whole].flatMap((each) => (isObject(each) ? Object.keys(each) : []))
  const names = [...new Set(found)].filter((name) => name !== 'module.exports' && name !== '__esModule')
  // A number or a class has no names, but it is not nothing.
  const only = whole === undefined ? exports : whole
  if (!isObject(only) && only !== undefined && names.every((name) => name === 'default'))
    return `exports ${whatIs(only)}`
  return names.length === 0 ? 'exports nothing' : `exports ${names.join(', ')}`
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const property = (value: unknown, name: string): unknown =>
  (typeof value === 'object' || typeof value === 'function') && value !== null ? (value as Thing)[name] : undefined

const has = (thing: Thing, ...methods: readonly string[]): boolean =>
  methods.every((name) => typeof thing[name] === 'function')

/** A class can only be called with `new`. */
const isCallable = (value: unknown): boolean =>
  typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value))

const none = (value: unknown): App => ({ kind: 'none', what: whatIs(value) })

const whatIs = (value: unknown): string => {
  if (value === null) return 'null'
  if (typeof value === 'function') {
    if (!isCallable(value)) return `the class ${value.name || '(without a name)'}`
    return `a function with ${value.length === 1 ? '1 parameter' : `${value.length} parameters`}`
  }
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`
  const keys = Object.keys(value)
  return keys.length === 0 ? 'an empty object' : `an object with ${keys.slice(0, 8).join(', ')}`
}
