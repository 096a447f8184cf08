// /slow waits until /go is asked for; /spin never gives its process back; /fail is a 500.
const { createServer } = require('node:http')

const waiting = []
createServer((request, response) => {
  if (request.url === '/spin') {
    console.log('spinning')
    for (;;);
  }
  if (request.url === '/slow') return waiting.push(response)
  if (request.url === '/go') for (const one of waiting.splice(0)) one.end()
  if (request.url === '/fail') response.statusCode = 500
  response.end('done\n')
}).listen(3000)
