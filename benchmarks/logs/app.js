/** Prints `LINES` numbered lines for each request: `line SLOT PID NUMBER`. */
const lines = Number(process.env.LINES)
const who = `line ${process.env.NODE_APP_INSTANCE} ${process.pid}`
let number = 0
require('node:http')
  .createServer((_request, response) => {
    for (let n = 0; n < lines; n += 1) process.stdout.write(`${who} ${number++}\n`)
    response.end()
  })
  .listen(8000)
