/** What processes take, and wrk for those that need load. */
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')

/** The proportional set sizes of all processes together, in MB. */
exports.pss = (pids) => {
  let sum = 0
  for (const pid of pids) sum += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1])
  return sum / 1024
}

/** Seconds of CPU that these processes have used: fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms. */
exports.cpu = (pids) => {
  let ticks = 0
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / 100
}

/** The most that a process has had resident, in MB. */
exports.peak = (pid) => Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) / 1024

/** wrk for so many seconds; requests a second. */
exports.load = async (port, seconds, path = '/', connections = 32) => {
  const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, `http://127.0.0.1:${port}${path}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (text) => {
    output += text
  })
  await once(child, 'close')
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)[1])
}

exports.delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
