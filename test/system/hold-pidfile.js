// Claims the pidfile PATH, says so, and holds it until a line comes on stdin: `release` gives it up, `execve` becomes another
// program that keeps it (and then holds it until it is killed).
const { claimPidfile } = require('../../dist/system/pidfile.js')
const { loadKernel } = require('../../dist/kernel/addon.js')

const kernel = loadKernel()
try {
  const pidfile = claimPidfile(process.argv[2], kernel)
  console.log(`claimed ${pidfile.fd}`)
  process.stdin.on('data', (data) => {
    if (String(data) === 'release\n') {
      pidfile.release()
      process.exit()
    }
    kernel.execve('/bin/sh', ['sh', '-c', 'echo another program; exec sleep 1000'], {}, [0, 1, 2, pidfile.fd])
  })
} catch (error) {
  console.log(error.message)
}
