import http from 'node:http'
import { listenWith, resolveApp, unusable } from '../../lib/worker/app/export-server.ts'
import { candidates, exported, named, recognize } from '../../lib/worker/app/exports.ts'

const handler = (_request: unknown, response: http.ServerResponse) => response.end()

describe('an export', () => {
  it.each([
    ['a (req, res) function', handler, 'handler'],
    ['a function with next', (_a: unknown, _b: unknown, _c: unknown) => undefined, 'handler'],
    ['an http.Server', http.createServer(), 'server'],
    ['a function without parameters', () => undefined, 'factory'],
    ['an object with fetch', { fetch: () => new Response() }, 'fetch'],
    ['what looks like Koa', { callback: () => handler, use: () => undefined, middleware: [] }, 'handler'],
    [
      'what looks like Fastify',
      { listen: () => undefined, ready: () => undefined, inject: () => undefined, server: http.createServer() },
      'self',
    ],
    [
      'what looks like NestJS',
      { listen: () => undefined, getHttpServer: () => undefined, init: () => undefined },
      'self',
    ],
  ])('is an app when it is %s', (_, value, kind) => {
    expect(recognize(value).kind).toBe(kind)
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [3, 'a number'],
    ['x', 'a string'],
    [{}, 'an empty object'],
    [{ a: 1, b: 2 }, 'an object with a, b'],
    [(_context: unknown) => undefined, 'a function with 1 parameter'],
    [class Server {}, 'the class Server'],
  ])('is described when it is none: %p', (value, what) => {
    expect(recognize(value)).toEqual({ kind: 'none', what })
  })

  it('is found behind promises and factories', async () => {
    expect((await resolveApp(Promise.resolve(handler))).kind).toBe('handler')
    expect((await resolveApp(() => handler)).kind).toBe('handler')
    expect((await resolveApp(async () => () => Promise.resolve(handler))).kind).toBe('handler')
  })

  it('is described by what its factory gives', async () => {
    expect(await resolveApp(() => 5)).toEqual({ kind: 'none', what: 'a function that gives a number' })
    const endless = (): unknown => endless
    expect(await resolveApp(endless)).toEqual({ kind: 'none', what: 'a function that gives only more functions' })
  })

  it("fails with the factory's own error", async () => {
    await expect(resolveApp(() => Promise.reject(new Error('no database')))).rejects.toThrow('no database')
  })

  it('is refused with what is accepted', () => {
    expect(unusable('a number', '/app.js:port')).toBe(
      '/app.js:port is a number; it must be a (req, res) function, an http.Server, a Fastify, Koa or NestJS app, an object with fetch(Request), or a promise or factory of one of these',
    )
  })

  it('that is a server which listens already is left alone', async () => {
    const server = http.createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await listenWith({ kind: 'server', server }, { host: '127.0.0.1', port: 1 })
    server.close()
  })

  it('that cannot listen fails with the error of listen', async () => {
    const taken = http.createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    await expect(listenWith({ kind: 'handler', handler }, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    taken.close()
  })
})

describe('a module', () => {
  it('is looked at as a whole first, then under the usual names', () => {
    const app = {}
    expect(candidates({ default: handler, app })).toEqual([handler, { default: handler, app }, app])
    expect(candidates(handler)[0]).toBe(handler)
  })

  it('compiled from ESM has its default one level deeper when it is imported', () => {
    expect(candidates({ default: { __esModule: true, default: handler } })[0]).toBe(handler)
    expect(named({ default: { __esModule: true, default: handler } }, 'default')).toBe(handler)
  })

  it('gives an export by name, CommonJS or ESM', () => {
    expect(named({ app: handler }, 'app')).toBe(handler)
    expect(named({ default: { app: handler } }, 'app')).toBe(handler)
    expect(named({ default: handler }, 'default')).toBe(handler)
    expect(named({ default: handler }, 'app')).toBeUndefined()
  })

  it('says what it exports', () => {
    expect(exported({ default: { a: 1, __esModule: true }, a: 1, 'module.exports': {} })).toBe('exports default, a')
    expect(exported({})).toBe('exports nothing')
  })

  it.each([
    [5, 'a number'],
    ['text', 'a string'],
    [null, 'null'],
    [class Shop {}, 'the class Shop'],
    [(one: unknown) => one, 'a function with 1 parameter'],
  ])('and what the one is that has no names (%p)', (value, what) => {
    for (const exports of [value, { default: value }, { default: value, 'module.exports': value }])
      expect(exported(exports)).toBe(`exports ${what}`)
  })
})
