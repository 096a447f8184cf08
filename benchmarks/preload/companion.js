/** A companion with the weight of the app: says that it serves when its function is called. */
require('./weight.js')

exports.run = () => {
  console.log(`serving ${process.pid}`)
  return new Promise(() => setInterval(() => undefined, 1e6))
}
