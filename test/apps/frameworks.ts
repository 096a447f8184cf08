/** Apps as their authors write them, for each framework: one text for each way to load it and each way to be served. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { APPS } from '../support/apps.ts'
import { temporaryFolder } from '../support/folder.ts'

export type Language = 'CommonJS' | 'ESM' | 'TypeScript'

type Framework = {
  readonly name: string
  /** Module → how ESM binds it; CommonJS destructures or assigns the same. */
  readonly imports: Readonly<Record<string, string>>
  /** Makes `app`; answers `GET /hello` with its name and pid, `POST /echo` with the body. */
  readonly make: string
  /** Listens on `port`. */
  readonly listen: string
  /** What is exported in its place. */
  readonly exported: string
}

const HELLO = (name: string) => `{ framework: '${name}', pid: process.pid, slot: process.env.NODE_APP_INSTANCE }`

export const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'http',
    imports: { 'node:http': 'http' },
    make: `
      const app = (req, res) => {
        if (req.method === 'POST') return req.pipe(res)
        res.setHeader('content-type', 'application/json')
        res.end(JSON.stringify(${HELLO('http')}))
      }`,
    listen: 'http.createServer(app).listen(port)',
    exported: 'app',
  },
  {
    name: 'http.Server',
    imports: { 'node:http': 'http' },
    make: `
      const app = http.createServer()
      app.on('request', (req, res) => {
        if (req.method === 'POST') return req.pipe(res)
        res.setHeader('content-type', 'application/json')
        res.end(JSON.stringify(${HELLO('http.Server')}))
      })`,
    listen: 'app.listen({ port })',
    exported: 'app',
  },
  {
    name: 'Express',
    imports: { express: 'express' },
    make: `
      const app = express()
      app.use(express.text())
      app.get('/hello', (req, res) => { res.json(${HELLO('Express')}) })
      app.post('/echo', (req, res) => { res.send(req.body) })`,
    listen: 'app.listen(port)',
    exported: 'app',
  },
  {
    name: 'Fastify',
    imports: { fastify: 'fastify' },
    make: `
      const app = fastify({ logger: false })
      app.get('/hello', async () => (${HELLO('Fastify')}))
      app.post('/echo', async (request) => request.body)`,
    listen: 'app.listen({ port })',
    exported: 'app',
  },
  {
    name: 'Koa',
    imports: { koa: 'Koa' },
    make: `
      const app = new Koa()
      app.use(async (ctx) => { ctx.body = ctx.method === 'POST' ? ctx.req : ${HELLO('Koa')} })`,
    listen: 'app.listen(port)',
    exported: 'app',
  },
  {
    name: 'Hono',
    imports: { hono: '{ Hono }', '@hono/node-server': '{ serve }' },
    make: `
      const app = new Hono()
      app.get('/hello', (c) => c.json(${HELLO('Hono')}))
      app.post('/echo', async (c) => c.text(await c.req.text()))`,
    listen: 'serve({ fetch: app.fetch, port })',
    exported: 'app',
  },
  {
    name: 'NestJS',
    imports: {
      'reflect-metadata': '',
      '@nestjs/common': '{ Controller, Get, Module, Post, Req, Res }',
      '@nestjs/core': '{ NestFactory }',
    },
    // Decorators, as a compiler writes them.
    make: `
      class Hello {
        hello() { return ${HELLO('NestJS')} }
        echo(req, res) { req.pipe(res) }
      }
      const method = (name) => Object.getOwnPropertyDescriptor(Hello.prototype, name)
      Get('hello')(Hello.prototype, 'hello', method('hello'))
      Post('echo')(Hello.prototype, 'echo', method('echo'))
      Req()(Hello.prototype, 'echo', 0)
      Res()(Hello.prototype, 'echo', 1)
      Controller()(Hello)
      class Root {}
      Module({ controllers: [Hello] })(Root)
      const create = () => NestFactory.create(Root, { logger: false, bodyParser: false })`,
    listen: 'create().then((app) => app.listen(port))',
    exported: 'create()',
  },
]

/** The app's file, in a folder where its framework is found. `port`: listens itself; null: exports. */
export function appFile(framework: Framework, language: Language, port: number | null): string {
  const { make, listen, exported } = framework
  const end = port === null ? exports(language, exported) : `const port = ${port}\n${listen}`
  const name = { CommonJS: 'app.js', ESM: 'app.mjs', TypeScript: 'app.mts' }[language]
  const typed = language === 'TypeScript' ? `type Slot = string | undefined\nconst slot: Slot = undefined\n` : ''
  return appIn({ [name]: `${imports(framework.imports, language)}\n${typed}${make}\n${end}\n` }, name)
}

/** The path of `name` in a folder of these files, where the frameworks are found. */
export function appIn(files: Readonly<Record<string, string>>, name: string): string {
  const folder = temporaryFolder(files)
  symlinkSync(join(APPS, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, name)
}

const imports = (modules: Framework['imports'], language: Language): string =>
  Object.entries(modules)
    .map(([module, binding]) => {
      if (language === 'CommonJS')
        return binding === '' ? `require('${module}')` : `const ${binding} = require('${module}')`
      return binding === '' ? `import '${module}'` : `import ${binding} from '${module}'`
    })
    .join('\n')

const exports = (language: Language, value: string): string =>
  language === 'CommonJS' ? `module.exports = ${value}` : `export default ${value}`
