/** Opens COUNT connections to PORT, has one answer on each, and says when all wait; then how many have ended, and how. */
const { connect } = require('node:net')

const [port, count] = process.argv.slice(2).map(Number)
const AT_ONCE = 200
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

let begun = 0
let answered = 0
let ended = 0
let broken = 0

const open = () => {
  if (begun === count) return
  begun += 1
  const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST))
  let heard = false
  socket.on('data', () => {
    if (heard) return
    heard = true
    answered += 1
    if (answered === count) console.log(`idle ${answered}`)
    open()
  })
  socket.on('end', () => {
    ended += 1
  })
  socket.on('error', () => {
    broken += 1
  })
  socket.on('close', () => {
    if (ended + broken === count) console.log(`ended ${ended} broken ${broken}`)
  })
}
for (let made = 0; made < AT_ONCE; made += 1) open()
