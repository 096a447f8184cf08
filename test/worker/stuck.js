/** Rings its own alarm and never comes back: the thread must show where. */
const { loadKernel } = require('../../dist/kernel/addon.js')
const { startStackThread } = require('../../dist/worker/stack-thread.js')

const kernel = loadKernel()
const alarm = kernel.alarm()
startStackThread(alarm)

function neverComesBack() {
  process.stdout.write('stuck\n')
  for (;;);
}

// The thread needs the main one until it runs.
setTimeout(() => {
  kernel.ring(alarm)
  neverComesBack()
}, 1_000)
