// Prints what the service manager has passed.
const { passedListeners } = require('../../dist/system/listen-fds.js')
const { loadKernel } = require('../../dist/kernel/addon.js')

try {
  console.log(JSON.stringify(passedListeners(process.env, process.pid, loadKernel())))
} catch (error) {
  console.log(error.message)
}
