// Tells the service manager of the environment that it is ready, and what went wrong with that.
const { createNotifier } = require('../../dist/system/notify.js')
const { loadKernel } = require('../../dist/kernel/addon.js')

const onTrouble = (line) => console.log(line)
const notifier = createNotifier({ kernel: loadKernel(), env: process.env, pid: process.pid, onTrouble })
notifier.ready('2 workers')
console.log('sent')
