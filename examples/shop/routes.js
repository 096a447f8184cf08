'use strict'

const { orders, place, products } = require('./catalogue.js')
const { page, plain } = require('./pages.js')
const { counts } = require('./spool.js')

/** More than any order takes. */
const LARGEST_BODY = 10_000

/** Who answers: monoceros numbers its workers in NODE_APP_INSTANCE. */
const worker = { pid: process.pid, slot: process.env.NODE_APP_INSTANCE ?? 'none' }

const routes = {
  'GET /': (request, response) => {
    const wantsPage = request.headers.accept?.includes('text/html')
    const type = wantsPage ? 'text/html' : 'text/plain'
    send(response, 200, `${type}; charset=utf-8`, (wantsPage ? page : plain)(products, orders, worker))
  },
  'GET /products': (_, response) => json(response, 200, products),
  'GET /orders': (_, response) => json(response, 200, { worker, orders }),
  'POST /orders': async (request, response) => {
    const { order, problem } = place(await body(request))
    if (problem) json(response, 422, { problem })
    else if (request.headers['content-type']?.startsWith('application/json')) json(response, 201, { worker, order })
    else send(response.setHeader('location', '/'), 303, 'text/plain', 'Thank you.\n')
  },
  'GET /queue': (_, response) => json(response, 200, counts()),
  'GET /health': (_, response) => send(response, 200, 'text/plain', 'ok\n'),
}

/** Answers one request. */
async function route(request, response) {
  const { pathname } = new URL(request.url, 'http://shop')
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const handler = routes[`${method} ${pathname}`]
  if (handler) return handler(request, response)
  const methods = Object.keys(routes).filter((name) => name.endsWith(` ${pathname}`))
  if (methods.length === 0) return json(response, 404, { problem: `there is nothing at ${pathname}` })
  response.setHeader('allow', methods.map((name) => name.split(' ')[0]).join(', '))
  json(response, 405, { problem: `${request.method} is not possible here` })
}

/** A form's fields or a JSON object; `{}` for anything else. */
async function body(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    // Too much is read to its end all the same, or the answer could not be sent.
    if (text.length <= LARGEST_BODY) text += chunk
  }
  if (request.headers['content-type']?.startsWith('application/json')) {
    try {
      return Object(JSON.parse(text))
    } catch {
      return {}
    }
  }
  const { product, quantity } = Object.fromEntries(new URLSearchParams(text))
  return { product, quantity: Number(quantity ?? 1) }
}

const json = (response, status, value) => send(response, status, 'application/json', `${JSON.stringify(value)}\n`)

function send(response, status, type, text) {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

module.exports = { route }
