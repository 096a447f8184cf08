/**
 * Asks for `/0`, `/1`, … up to a count over a UNIX socket: `connections` at a time, each with a `batch` of pipelined requests
 * under way. A connection that ends between two batches is made anew. Resolves when every request has its answer; a
 * connection that ends before is an error.
 */
const net = require('node:net')

exports.askAll = async (path, { requests, connections = 4, batch = 50, from = 0 }) => {
  let next = from
  const end = from + requests
  const converse = () =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ path })
      let open = 0
      let rest = ''
      const ask = () => {
        const last = Math.min(next + batch, end)
        if (next === last) return socket.destroy()
        let text = ''
        for (; next < last; next += 1, open += 1) text += `GET /${next} HTTP/1.1\r\nHost: a\r\n\r\n`
        socket.write(text)
      }
      socket.setEncoding('latin1')
      socket.on('connect', ask)
      socket.on('data', (data) => {
        const text = rest + data
        // Answers without a body: each ends with its head.
        const parts = text.split('\r\n\r\n')
        rest = parts.pop()
        open -= parts.length
        if (parts.some((head) => !head.startsWith('HTTP/1.1 200 ')))
          return reject(new Error(`an answer that is none: ${text.slice(0, 200)}`))
        if (open === 0 && !/^connection: close$/im.test(text)) ask()
      })
      socket.on('error', reject)
      socket.on('close', () => (open === 0 ? resolve() : reject(new Error(`${open} requests were not answered`))))
    })
  const work = async () => {
    while (next < end) await converse()
  }
  await Promise.all(Array.from({ length: connections }, work))
}
