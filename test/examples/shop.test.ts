import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'

process.env.SHOP_SPOOL = temporaryFolder()
const { route } = require('../../examples/shop/routes.js')

let server: Server
let port: number

beforeAll(async () => {
  server = createServer(route).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => server.close())

const order = (body: string, type = 'application/json') =>
  ask({ port }, { method: 'POST', path: '/orders', body, headers: { 'content-type': type } })

test('The front page is text for curl and HTML for a browser, and says which process answers.', async () => {
  const text = await ask({ port })
  expect(text.headers['content-type']).toBe('text/plain; charset=utf-8')
  expect(text.body).toContain(`served by process ${process.pid} (worker slot none)`)
  const page = await ask({ port }, { headers: { accept: 'text/html,*/*' } })
  expect(page.body).toContain(`Process ${process.pid}`)
})

test('An order is placed with JSON or with the form, and counted.', async () => {
  const { status, body } = await order('{"product":"tea","quantity":2}')
  expect(status).toBe(201)
  expect(JSON.parse(body).order).toEqual({ number: 1, product: 'tea', quantity: 2, cents: 1380 })
  const form = await order('product=cup&quantity=1', 'application/x-www-form-urlencoded')
  expect(form).toMatchObject({ status: 303, headers: { location: '/' } })
  expect(JSON.parse((await ask({ port }, { path: '/orders' })).body).orders).toHaveLength(2)
})

test.each(['{"product":"gold"}', '{"product":"tea","quantity":0}', '{', 'null', '[]', '"tea"'])(
  'The order %s is refused in words.',
  async (body) => {
    const { status, body: answer } = await order(body)
    expect(status).toBe(422)
    expect(JSON.parse(answer).problem).toMatch(/^(product|quantity): /)
  },
)

test('An order that is far too long is refused after it was read.', async () => {
  expect((await order(' '.repeat(1_000_000) + '{"product":"tea"}')).status).toBe(422)
})

test('Other paths are 404 and other methods 405.', async () => {
  expect((await ask({ port }, { path: '/nothing' })).status).toBe(404)
  expect(await ask({ port }, { path: '/orders', method: 'DELETE' })).toMatchObject({
    status: 405,
    headers: { allow: 'GET, POST' },
  })
})
