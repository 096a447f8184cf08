/** How an app comes to be served, or why it is not. */

import { PROTOCOL } from '../../lib/channel/messages.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { dist } from '../support/process.ts'
import { LOOPBACK, startWorker } from './worker.ts'

const file = (text: string, name = 'app.js'): string => `${temporaryFolder({ [name]: text })}/${name}`
const HANDLER = `(req, res) => res.end('served')`
const FETCH = `{ fetch: (request) => new Response('served') }`

/** An app that does not listen, in all the ways to export one. */
const EXPORTS: readonly (readonly [what: string, name: string, text: string])[] = [
  ['a function, CommonJS', 'app.js', `module.exports = ${HANDLER}`],
  ['a function, ESM', 'app.mjs', `export default ${HANDLER}`],
  ['a function as app', 'app.js', `exports.app = ${HANDLER}`],
  ['a function as server, ESM', 'app.mjs', `export const server = ${HANDLER}`],
  ['an http.Server', 'app.js', `module.exports = require('node:http').createServer(${HANDLER})`],
  ['a promise', 'app.js', `module.exports = Promise.resolve(${HANDLER})`],
  ['a factory', 'app.js', `module.exports = async () => ${HANDLER}`],
  ['an object with fetch', 'app.mjs', `export default ${FETCH}`],
  ['fetch as a named export', 'app.mjs', `export function fetch() { return new Response('served') }`],
  ['ESM compiled to CommonJS', 'app.js', `exports.__esModule = true; exports.default = ${HANDLER}`],
  ['a function after top-level await', 'app.mjs', `await 0; export default ${HANDLER}`],
]

describe('an app that does not listen', () => {
  it.each(EXPORTS)('is served by what it exports: %s', async (_, name, text) => {
    const worker = startWorker({ file: file(text, name), bind: [LOOPBACK] })
    expect((await ask({ port: await worker.port() })).body).toBe('served')
  })

  it.each(EXPORTS.filter(([, , text]) => !/fetch as|exports.app|const server|function fetch/.test(text)))(
    'is served by FILE:default, even while it is busy: %s',
    async (_, name, text) => {
      const worker = startWorker({
        file: file(`setInterval(() => {}, 1000);${text}`, name),
        export: 'default',
        bind: [LOOPBACK],
      })
      expect((await ask({ port: await worker.port() })).body).toBe('served')
    },
  )

  it('is served on $PORT, also one that only the worker knows', async () => {
    const folder = temporaryFolder({ 'app.js': `module.exports = ${HANDLER}`, '.env': 'PORT=65100' })
    const worker = startWorker({ file: `${folder}/app.js`, nodeOptions: [`--env-file=${folder}/.env`] })
    expect((await worker.told('asked')).address).toEqual({ kind: 'tcp', host: '0.0.0.0', port: 65100 })
  })

  it('and exports nothing of use fails when nothing is left to do', async () => {
    const path = file(`exports.answer = 42; exports.version = 'x'`)
    const worker = startWorker({ file: path })
    expect(await worker.told('failed')).toEqual({
      kind: 'failed',
      fault: 'neverListened',
      text: `${path} neither listens nor exports an app: it exports answer, version`,
    })
    await worker.ended()
  })

  it('but ends fails with its exit code', async () => {
    const path = file(`setTimeout(() => process.exit(0), 10)`)
    const worker = startWorker({ file: path })
    expect(await worker.told('failed')).toEqual({
      kind: 'failed',
      fault: 'exited',
      text: `${path} ended with exit code 0 before it listened`,
    })
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })

  it.each([[{}], [{ export: 'default' }]])('because it awaits for ever fails, with that reason (%j)', async (more) => {
    const path = file(`await new Promise(() => {}); export default 1`, 'app.mjs')
    const worker = startWorker({ file: path, ...more })
    expect(await worker.told('failed')).toMatchObject({
      fault: 'neverListened',
      text: `${path} was not evaluated to its end, and nothing is left that could end it: a top-level await that nothing settles`,
    })
    await worker.ended()
  })

  it.each([
    ['a promise', 'module.exports = new Promise(() => {})'],
    ['a function that gives a promise', 'module.exports = () => new Promise(() => {})'],
  ])('and exports %s that nothing settles fails, with that reason', async (what, text) => {
    const path = file(text)
    const worker = startWorker({ file: path })
    expect((await worker.told('failed')).text).toBe(`${path} exports ${what} that nothing settles`)
    await worker.ended()
    const named = startWorker({ file: path, export: 'default' })
    expect((await named.told('failed')).text).toBe(`${path}:default is ${what} that nothing settles`)
    await named.ended()
  })

  it('and exports a number is told so', async () => {
    const path = file('module.exports = 5')
    const worker = startWorker({ file: path })
    expect((await worker.told('failed')).text).toBe(`${path} neither listens nor exports an app: it exports a number`)
    await worker.ended()
  })

  it('but gives up by itself after an error that it handled, is not said to await anything', async () => {
    const path = file(`process.on('uncaughtException', () => {}); throw new Error('handled')`)
    const worker = startWorker({ file: path })
    expect((await worker.told('failed')).text).toBe(`${path} does not listen`)
    await worker.ended()
  })

  it.each([
    ['at once', `module.exports = function make() { throw new Error('no app today') }`],
    ['later', `module.exports = async function make() { await 0; throw new Error('no app today') }`],
  ])('because its factory throws %s shows its own stack and none of ours', async (_, text) => {
    for (const more of [{}, { export: 'default' }]) {
      const path = file(text)
      const worker = startWorker({ file: path, ...more })
      const { stack } = await worker.told('failed')
      expect(stack).toMatch(/^Error: no app today\n {4}at .*app\.js:1:\d+/)
      expect(stack).not.toContain(dist(''))
      await worker.ended()
    }
  })

  it('in TypeScript, on a Node that cannot load that, is told which one can', async () => {
    const path = file('const port: number = 3000', 'app.ts')
    const worker = startWorker({ file: path })
    const { text } = await worker.told('failed')
    const can = Boolean((process.features as { typescript?: unknown }).typescript)
    expect(text).toBe(
      can
        ? `${path} neither listens nor exports an app: it exports nothing`
        : `Node ${process.version} cannot load TypeScript; use Node 22.18 or later`,
    )
    await worker.ended()
  })

  it('in TypeScript that a loader compiles fails with its own errors', async () => {
    const loader = `require('node:module')._extensions['.ts'] = (module, name) => module._compile('JSON.parse("{")', name)`
    const folder = temporaryFolder({ 'app.ts': 'const port: number = 3000', 'loader.js': loader })
    const worker = startWorker({ file: `${folder}/app.ts`, nodeOptions: ['--require', `${folder}/loader.js`] })
    expect((await worker.told('failed')).text).toMatch(/^SyntaxError: .*JSON/)
    await worker.ended()
  })
})

describe('an app that listens', () => {
  it('late is not served by its export', async () => {
    const worker = startWorker({
      file: file(`
        const http = require('node:http')
        module.exports = (req, res) => res.end('export')
        setTimeout(() => http.createServer((req, res) => res.end('own')).listen(3000), 50)`),
      bind: [LOOPBACK],
    })
    expect((await ask({ port: await worker.port() })).body).toBe('own')
  })

  it('while its module still awaits is ready all the same', async () => {
    const worker = startWorker({
      file: file(
        `import http from 'node:http'
        http.createServer(${HANDLER}).listen(0, '127.0.0.1')
        await new Promise((resolve) => process.once('SIGUSR2', resolve))`,
        'app.mjs',
      ),
    })
    expect((await ask({ port: await worker.port() })).body).toBe('served')
  })

  it('in a guard of its main module is served', async () => {
    const text = `
      const http = require('node:http')
      const app = ${HANDLER}
      if (require.main === module) http.createServer(app).listen(0, '127.0.0.1')
      module.exports = app`
    const worker = startWorker({ file: file(text) })
    expect((await ask({ port: await worker.port() })).body).toBe('served')
  })
})

describe('an app that fails to load', () => {
  it.each([
    ['throws', 'app.js', `function load() { throw new TypeError('bad\\nday') }\nload()`, 'TypeError: bad', 'at load'],
    ['rejects', 'app.mjs', `await Promise.reject(new Error('no database'))`, 'Error: no database', 'app.mjs:1'],
    [
      'throws later',
      'app.js',
      `setTimeout(() => { throw new Error('late') }, 5); exports.default = new Promise(() => {})`,
      'Error: late',
      'app.js:1',
    ],
    ['throws no Error', 'app.js', `throw { code: 7 }`, '{ code: 7 }', '{ code: 7 }'],
    ['is no JavaScript', 'app.js', `const x = ;`, "SyntaxError: Unexpected token ';'", 'app.js:1'],
    ['lacks a module', 'app.js', `require('./nowhere.js')`, "Error: Cannot find module './nowhere.js'", 'app.js'],
    ['lacks a module, ESM', 'app.mjs', `import './nowhere.js'`, 'Error: Cannot find module ', 'nowhere.js'],
  ])('%s: its error is told once, and not printed', async (_, name, text, line, stack) => {
    for (const exported of [{}, { export: 'default' }]) {
      const worker = startWorker({ file: file(text, name), ...exported })
      const failed = await worker.told('failed')
      expect(failed).toMatchObject({ fault: 'threw', text: expect.stringContaining(line) })
      expect(failed.text).not.toContain('\n')
      expect(failed.stack).toContain(stack)
      expect(await worker.ended()).toMatchObject({ code: 1 })
      expect(worker.program.stderr).toBe('')
    }
  })

  it('by its syntax, which Node alone can locate in an ES module: one worker lets Node print it', async () => {
    const path = file(`import './x.mjs'`, 'app.mjs')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(path.replace('app', 'x'), 'const x = ;')
    for (const [slot, exported] of [
      [0, {}],
      [0, { export: 'default' }],
      [1, {}],
      [1, { export: 'default' }],
    ] as const) {
      const worker = startWorker({ file: path, go: { slot }, ...exported })
      expect(await worker.told('failed')).toMatchObject({ fault: 'threw', text: "SyntaxError: Unexpected token ';'" })
      expect(await worker.ended()).toMatchObject({ code: 1 })
      if (slot === 0) expect(worker.program.stderr).toContain('x.mjs:1')
      else expect(worker.program.stderr).toBe('')
    }
  })

  it('is missing', async () => {
    const folder = temporaryFolder()
    for (const name of ['none.js', 'none.mjs'])
      for (const exported of [{}, { export: 'default' }]) {
        const worker = startWorker({ file: `${folder}/${name}`, ...exported })
        expect(await worker.told('failed')).toEqual({
          kind: 'failed',
          fault: 'missing',
          text: `${folder}/${name} does not exist`,
        })
        await worker.ended()
      }
  })

  it('has no such export, or one that is no app', async () => {
    const path = file(`exports.app = 5; exports.make = () => ({})`)
    const told = async (name: string) => startWorker({ file: path, export: name }).told('failed')
    const accepted = 'it must be a (req, res) function, an http.Server'
    expect(await told('server')).toMatchObject({
      fault: 'unusableExport',
      text: `${path} has no export "server"; it exports app, default, make`,
    })
    expect((await told('app')).text).toContain(`${path}:app is a number; ${accepted}`)
    expect((await told('make')).text).toContain(`${path}:make is a function that gives an empty object; ${accepted}`)
  })

  it('prints its error as ever once it has been ready', async () => {
    const worker = startWorker({
      file: file(`require('node:http').createServer(() => { throw new Error('at work') }).listen(0, '127.0.0.1')`),
    })
    const port = await worker.port()
    await expect(ask({ port })).rejects.toThrow()
    await worker.printed(/Error: at work/)
    expect(await worker.ended()).toMatchObject({ code: 1 })
    expect(worker.all('failed')).toEqual([])
  })

  it('survives an error that it handles itself', async () => {
    const worker = startWorker({
      file: file(`
        process.on('uncaughtException', (error) => {
          console.log('handled', error.message)
          require('node:http').createServer().listen(0, '127.0.0.1')
        })
        throw new Error('known')`),
    })
    await worker.printed(/^handled known$/)
    await worker.told('ready')
  })
})

describe('a worker', () => {
  it.each([
    [{ protocol: 99 }, `the arbiter speaks protocol 99, this worker ${PROTOCOL}`],
    [{ arbiter: 1 }, 'the arbiter is gone'],
    [{ listeners: [LOOPBACK] }, '0 of 1 listeners came'],
  ])('does not start without its arbiter: %p', async (go, why) => {
    const worker = startWorker({ file: file(HANDLER), go })
    await worker.printed(new RegExp(`^monoceros: this worker cannot start: ${why}$`))
    expect(await worker.ended()).toMatchObject({ code: 1 })
  })
})
