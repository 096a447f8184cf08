// Listens once the file that GATE names exists; at once without one.
const { existsSync } = require('node:fs')
const { createServer } = require('node:http')

const { GATE } = process.env
const look = setInterval(() => {
  if (GATE && !existsSync(GATE)) return
  clearInterval(look)
  createServer((_, response) => response.end(`${process.pid}\n`)).listen(3000)
}, 10)
