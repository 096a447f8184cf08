/**
 * Measuring at real-time priority (`chrt -f 10 npm run bench -- NAME`), ahead of everything else on the machine. V8
 * compiles and collects on threads of its own, and a thread of the same real-time priority on the same core gets its
 * turn only when the main thread blocks, which a server under full load never does: its code would stay interpreted.
 */
const { execFileSync } = require('node:child_process')
const { readFileSync } = require('node:fs')

const SCHED_FIFO = 1

/** Real-time priority of this process, 0 without one (proc(5), stat, fields 40 and 41). */
exports.priority = () => {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')
  return Number(fields[38]) === SCHED_FIFO ? Number(fields[37]) : 0
}

/** Under real-time priority: puts the helper threads of a process that has started before its main thread. */
exports.helpersFirst = (pid) => {
  const own = exports.priority()
  if (own === 0) return
  execFileSync('chrt', ['--all-tasks', '--fifo', '--pid', String(own + 1), String(pid)])
  execFileSync('chrt', ['--fifo', '--pid', String(own), String(pid)])
}

/** Before a process with such helpers exits: one of them may spin until the main thread, which it does not let run, is done. */
exports.ordinary = (pid) => {
  if (exports.priority() > 0) execFileSync('chrt', ['--all-tasks', '--other', '--pid', '0', String(pid)])
}
