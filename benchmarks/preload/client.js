/** A client that asks until it is answered, each time on a connection of its own. */
const net = require('node:net')

/** A connection may have come to a worker that died with it: then another one is tried beside it. */
const ANEW = 20
/** Where nobody listens. */
const REFUSED = 0.3
/** For an answer, in milliseconds. */
const PATIENCE = 60_000

/** Resolves with the answer's body and when its first byte came, on performance's clock. */
exports.ask = (port, path = '/') =>
  new Promise((resolve, reject) => {
    const sockets = new Set()
    let answered = false
    const attempt = () => {
      if (answered) return
      const socket = net.connect(port, '127.0.0.1')
      sockets.add(socket)
      let text = ''
      let at
      socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`))
      socket.on('data', (data) => {
        at ??= performance.now()
        text += data
      })
      socket.once('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        const body = text.split('\r\n\r\n')[1]
        if (!body) setTimeout(attempt, REFUSED)
        else if (!answered) finish({ at, body: JSON.parse(/\{.*\}/s.exec(body)[0]) })
      })
    }
    const again = path === '/' ? setInterval(attempt, ANEW) : undefined
    const end = () => {
      answered = true
      clearInterval(again)
      clearTimeout(patience)
      for (const socket of sockets) socket.destroy()
    }
    const finish = (answer) => {
      end()
      resolve(answer)
    }
    const patience = setTimeout(() => {
      end()
      reject(new Error(`no answer to ${path} on port ${port} in ${PATIENCE} ms`))
    }, PATIENCE)
    attempt()
  })
