/** Requests and responses of an app that gives them prototypes of its own, as Express does. */
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { attach } from '../../../lib/http/attach.ts'
import { startNode } from '../../support/process.ts'
import { get, LAST, listening } from './serving.ts'

type App = http.RequestListener & { request: object; response: object }

/** What listeners saw: the request and the response as they came. */
let seen: { prototypes: object[]; keys: (string | symbol)[][] }[] = []

beforeEach(() => {
  seen = []
})

/** The attached server of an app. */
const served = (app: App, server = http.createServer(app)): http.Server => {
  attach(server)
  return server
}

/** The attached server of a listener that hands everything on to an app. */
function around(app: App): http.Server {
  const server = http.createServer((req, res) => app(req, res))
  attach(server)
  return server
}

const see = (req: http.IncomingMessage, res: http.ServerResponse) =>
  seen.push({
    prototypes: [req, res].map((message) => Object.getPrototypeOf(message)),
    keys: [req, res].map((message) => Reflect.ownKeys(message)),
  })

/** What `express()` returns, and what it does first. */
function appOf(): App {
  const app: App = Object.assign(
    (req: http.IncomingMessage, res: http.ServerResponse) => {
      see(req, res)
      Object.setPrototypeOf(req, app.request)
      Object.setPrototypeOf(res, app.response)
      res.end(req.url)
    },
    {
      request: Object.create(http.IncomingMessage.prototype),
      response: Object.create(http.ServerResponse.prototype),
    },
  )
  return app
}

/** Sends the bytes, which have to end the connection; gives what came. */
async function converse(server: http.Server, bytes: string): Promise<string> {
  const { port } = server.listening ? (server.address() as net.AddressInfo) : await listening(server)
  const client = net.connect(port, '127.0.0.1').setEncoding('latin1')
  let received = ''
  client.on('data', (text) => {
    received += text
  })
  client.write(bytes)
  await once(client, 'close')
  return received
}

test('they have the prototypes from the start', async () => {
  const app = appOf()
  expect(await converse(served(app), get('/1') + get('/2', LAST))).toMatch(/\/1HTTP.*\/2$/s)
  expect(seen.map(({ prototypes }) => prototypes)).toEqual([
    [app.request, app.response],
    [app.request, app.response],
  ])
})

test('they have the same properties of their own as those that Node gives a prototype', async () => {
  const app = appOf()
  await converse(served(app), get('/', LAST))
  await converse(around(app), get('/', LAST))
  expect(seen[1]!.prototypes).toEqual([http.IncomingMessage.prototype, http.ServerResponse.prototype])
  expect(seen[0]!.keys).toEqual(seen[1]!.keys)
  expect(seen[0]!.keys[0]!.length).toBeGreaterThan(10)
})

test('a listener whose properties of these names are no prototypes is a listener like others', async () => {
  const listener = Object.assign(appOf(), { request: 'User', response: 'Reply' })
  const plain: http.RequestListener = (req, res) => void res.end(req.url)
  const server = served(Object.assign(plain, { request: listener.request, response: listener.response }) as never)
  expect(await converse(server, get('/a', LAST))).toMatch(/\/a$/)
})

test('another prototype of the app counts from the next request on', async () => {
  const app = appOf()
  const server = served(app)
  const close = get('/', LAST)
  await converse(server, close)
  app.request = Object.create(app.request)
  await converse(server, close)
  expect(seen[1]!.prototypes).toEqual([app.request, app.response])
  expect(Object.getPrototypeOf(app.request)).toBe(seen[0]!.prototypes[0])
})

const UPGRADE = get('/', 'Connection: upgrade\r\nUpgrade: x\r\n')

/** Where somebody else may see a request before the app, or Node's own properties would not be made. */
const OTHERS: Record<string, (app: App) => { server: http.Server; bytes?: string }> = {
  'the app is not the only listener'(app) {
    const server = served(app)
    server.on('request', () => {})
    return { server }
  },
  'a listener stands around the app': (app) => ({ server: around(app) }),
  'the server has an emit of its own'(app) {
    const server = served(app)
    const { emit } = server
    server.emit = ((...args: unknown[]) => Reflect.apply(emit, server, args)) as typeof emit
    return { server }
  },
  'the server has a class of its own': (app) => ({
    server: served(app, http.createServer({ ServerResponse: class extends http.ServerResponse {} as never }, app)),
  }),
  'the listener’s properties of these names are no prototypes'() {
    const listener: http.RequestListener = (req, res) => {
      see(req, res)
      res.end()
    }
    return { server: served(Object.assign(listener, { request: {}, response: {} })) }
  },
  'the prototype stands in the way of a property of Node’s'(app) {
    Object.defineProperty(app.request, 'url', { get: () => 'never' })
    return { server: served(app) }
  },
  'an expectation has a listener'(app) {
    const server = served(app)
    server.on('checkExpectation', (req, res) => app(req, res))
    return { server, bytes: get('/', `Expect: y\r\n${LAST}`) }
  },
  'an upgrade has a listener'(app) {
    const server = served(app)
    server.on('upgrade', (req, socket) => {
      see(req, new http.ServerResponse(req))
      socket.end()
    })
    return { server, bytes: UPGRADE }
  },
}

test.each(Object.entries(OTHERS))('they are as Node makes them where %s', async (_, make) => {
  const app = appOf()
  const { server, bytes = get('/', LAST) } = make(app)
  await converse(server, bytes)
  expect(seen).toHaveLength(1)
  const [request, response] = seen[0]!.prototypes
  expect(request).toBe(http.IncomingMessage.prototype)
  expect(response).not.toBe(app.response)
})

test('all requests have one shape in the end, and all responses, whatever the app adds to them', async () => {
  const program = startNode(join(__dirname, 'shapes.js'))
  await program.line(/^requests true responses true$/m)
  expect(await program.ended()).toEqual({ code: 0, signal: null })
})
