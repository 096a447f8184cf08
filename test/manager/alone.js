/**
 * The arbiter's loop with the companion manager and nothing else. argv: the config file, the control socket. Signals as
 * the arbiter's; it ends when the manager is gone for good, with the exit code that a FATAL companion asked for.
 */
const { fd } = require('../../dist/units.js')
const { loadKernel } = require('../../dist/kernel/addon.js')
const { loadConfig } = require('../../dist/config/load.js')
const { describeProblem } = require('../../dist/config/problems.js')
const { createLog } = require('../../dist/log/log.js')
const { Loop } = require('../../dist/runtime/loop.js')
const { reapChildren } = require('../../dist/runtime/reaper.js')
const { sessionMembers } = require('../../dist/system/processes.js')
const { Manager } = require('../../dist/arbiter/manager/manager.js')
const { ManagerReport } = require('../../dist/arbiter/manager/report.js')
const { managerConfig } = require('../../dist/arbiter/manager/companions.js')
const { openSync } = require('node:fs')

const [file, controlSocket] = process.argv.slice(2)
const kernel = loadKernel()
const log = createLog({ fd: 2, role: 'arbiter' })

async function load() {
  const read = await loadConfig(['-c', file, 'app.js'], process.env, process.cwd())
  if ('problems' in read) throw new Error(read.problems.map((one) => describeProblem(one)).join('; '))
  return read.loaded
}

async function main() {
  const loaded = await load()
  const stdin = fd(openSync('/dev/null', 'r'))
  let code = 0
  const manager = new Manager(
    {
      kernel,
      report: new ManagerReport(log, () => kernel.now()),
      standard: () => ({ stdin, stdout: fd(1), stderr: fd(2) }),
      plan: () => ({ controlSocket, name: 'test', cwd: loaded.cwd, log: { level: 'debug', format: 'text' } }),
      reread: async () => managerConfig(await load()),
      fatal(exitCode) {
        code = exitCode
        manager.stop('graceful', kernel.now())
      },
      wake: () => loop.wake(),
    },
    managerConfig(loaded),
  )
  const turn = {
    signalled({ signal }) {
      if (signal === 'SIGTERM') manager.stop('graceful', kernel.now())
      else if (signal === 'SIGQUIT') manager.stop('quick', kernel.now())
      else if (signal === 'SIGUSR1') manager.reopen(null)
      else if (signal === 'SIGHUP') void load().then((again) => manager.reload(managerConfig(again)))
    },
    reaped() {},
    hear() {},
    reap(now) {
      const leaders = manager.leaders()
      const { exits } = reapChildren(kernel, leaders, () => manager.lastWords(), sessionMembers)
      for (const exit of exits) manager.left(exit, now)
    },
    command() {},
    judge(now, gap) {
      manager.judge(now, gap)
      if (!manager.isGone || !begun) return
      loop.close()
      log.flushNow()
      process.exit(code)
    },
    deadline: (now) => manager.deadline(now),
    reinstalled() {},
    failed: (error) => log.error(String(error)),
  }
  let begun = false
  kernel.becomeSubreaper()
  const loop = new Loop(kernel, ['SIGTERM', 'SIGQUIT', 'SIGUSR1', 'SIGHUP', 'SIGCHLD'], turn)
  manager.start()
  begun = true
}

void main()
