'use strict'

// A small shop, as an app that knows nothing of monoceros: `node server.js` serves it with one process, and
// `monoceros server.js -w 2` with two that share the port.
const { createServer } = require('node:http')
const { route } = require('./routes.js')

const server = createServer((request, response) => {
  route(request, response).catch((error) => {
    console.error(error)
    if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' })
    response.end('Something went wrong.\n')
  })
})

server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1')
