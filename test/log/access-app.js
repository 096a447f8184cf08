// Answers with the number that it was asked for, in several ways; /hang waits for ever.
const { createServer } = require('node:http')

createServer((request, response) => {
  const url = request.url
  request.url = '/rewritten'
  if (url === '/hang') return console.log('hanging')
  if (url === '/exit') {
    response.end('bye\n', () => process.exit())
    return
  }
  if (url === '/say') console.log('the app says something')
  response.writeHead(url === '/missing' ? 404 : 200, { 'X-Kind': 'test' })
  if (url === '/stream') response.write('a'.repeat(1000))
  response.end(request.method === 'HEAD' ? undefined : 'hello\n')
}).listen(3000)
