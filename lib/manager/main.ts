/** The manager's process: hears what it is to run, puts the parts together, runs until everything is stopped. */
import { openSync } from 'node:fs'
import { readBlob } from '../channel/blob.ts'
import { Channel } from '../channel/channel.ts'
import { TO_MANAGER } from '../channel/manager-decode.ts'
import {
  type FromManager,
  MANAGER_PROTOCOL,
  type ManagerConfig,
  type ManagerGo,
  type ToManager,
} from '../channel/manager-messages.ts'
import { CHANNEL_VARIABLE } from '../channel/messages.ts'
import { type ControlServer, openControl } from '../control/server.ts'
import { loadKernel } from '../kernel/addon.ts'
import type { Kernel, Signal } from '../kernel/kernel.ts'
import { createLog, type Log } from '../log/log.ts'
import { openSyslog } from '../log/syslog-sender.ts'
import { Loop } from '../runtime/loop.ts'
import { troubleWords } from '../supervision/describe.ts'
import type { Trouble } from '../supervision/trouble.ts'
import { type Fd, fd, ms, pid } from '../units.ts'
import { Children } from './children.ts'
import { managerCommands } from './commands.ts'
import { LogFiles } from './log-file.ts'
import { Manager } from './manager.ts'
import { Report } from './report.ts'
import { Rereader } from './rereader.ts'
import { Waiting } from './waiting.ts'

type ToArbiter = Channel<ToManager, FromManager>

/** USR2 and the terminal's signals do nothing here; without a handler they would end the process. */
const SIGNALS: readonly Signal[] = [
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCHLD',
]

/** How long the arbiter may take to say what is to be run. */
const PATIENCE = ms(30_000)

function main(): void {
  const kernel = loadKernel()
  const { [CHANNEL_VARIABLE]: number } = process.env
  delete process.env[CHANNEL_VARIABLE]
  if (number === undefined) {
    process.stderr.write('monoceros: the companion manager is started by the arbiter, not by hand\n')
    process.exit(2)
  }
  const channel: ToArbiter = new Channel(kernel, fd(Number(number)), TO_MANAGER)
  const first = channel.wait((message): message is ManagerGo => message.kind === 'go', PATIENCE)
  // The arbiter is gone, or hangs: nothing has been started.
  if (first === null || first === 'end') process.exit(1)
  const { message: go, fds } = first
  if (go.protocol !== MANAGER_PROTOCOL) {
    process.stderr.write(`monoceros: the manager speaks protocol ${MANAGER_PROTOCOL}, not ${go.protocol}\n`)
    process.exit(1)
  }
  if (kernel.getppid() !== pid(go.arbiter)) process.exit(1)
  const config = readBlob(kernel, fds[1]!) as ManagerConfig
  const sessions = kernel.map(fds[0]!)
  kernel.close(fds[0]!)
  serve(kernel, channel, go, config, sessions)
}

function serve(kernel: Kernel, channel: ToArbiter, go: ManagerGo, config: ManagerConfig, sessions: ArrayBuffer): void {
  const { level, format, syslog: settings } = go.log
  const datagram = (path: string, text: string): void => kernel.notify(path, text)
  const syslog = settings && openSyslog(settings, { datagram, onTrouble: (line) => log.warning(line) })
  const log: Log = createLog({ fd: 2, level, format, role: 'manager', syslog })
  const report = new Report(log, () => kernel.now())
  process.on('uncaughtException', (error) => report.defect(error))
  process.on('unhandledRejection', (error) => report.defect(error))
  kernel.setProcessName('monoceros: companion manager')
  kernel.becomeSubreaper()

  const stdin = fd(openSync('/dev/null', 'r'))
  const files = new LogFiles(kernel, (path, error, lost) => report.logTrouble(path, error, lost))
  const children = new Children(kernel, sessions, stdin, files, (child, why) => report.garbled(child.name, why))
  const waiting = new Waiting()
  const rereader = new Rereader((id) => channel.send({ kind: 'reread', id }))
  let control: ControlServer | null = null

  const reopen = (files: readonly ('stdout' | 'stderr')[] = [], fresh: readonly Fd[] = []): void => {
    for (const [at, file] of files.entries()) kernel.dup2(fresh[at]!, file === 'stdout' ? 1 : 2)
    log.reopen()
    report.reopened([...children.reopen(), ...manager.reopened()])
  }
  const end = (): void => {
    control?.close()
    report.stopped()
    log.flushNow()
    // What clients are owed has been written, or they do not read: nobody waits for them.
    setImmediate(() => kernel.exit(0))
  }

  const manager: Manager = new Manager(
    {
      kernel,
      children,
      report,
      wake: () => loop.wake(),
      looked: (now) => waiting.look(now),
      ordered(order) {
        if (order === 'reopen') reopen()
        else void reread()
      },
      fatal: ({ name }, trouble) =>
        channel.send({ kind: 'fatal', name, code: exitCodeOf(trouble), text: troubleWords(trouble) }),
      emptied: end,
    },
    config,
    kernel.getpid(),
  )
  const reread = () => rereader.ask(manager, waiting)

  const loop = new Loop(kernel, SIGNALS, manager)
  channel.open({
    message(message, fds) {
      if (message.kind === 'stop') manager.shutdown(message.how, 'the arbiter')
      else if (message.kind === 'reopen') reopen(message.files, fds)
      else if (message.kind === 'config') rereader.answered(message.id, readBlob(kernel, fds[0]!) as ManagerConfig)
      else if (message.kind === 'configFailed') rereader.answered(message.id, message.error)
      if (message.kind !== 'config') for (const one of fds) kernel.close(one)
      loop.wake()
    },
    // Nobody is left who could use what companions do, and the next arbiter starts its own.
    ended: () => manager.shutdown('quick', 'the arbiter is gone'),
    garbled: (why) => report.garbled('arbiter', why),
  })
  channel.send({ kind: 'announced', pid: kernel.getpid() })

  const about = () => ({ version: go.version, pid: kernel.getpid(), node: process.version, name: go.name, cwd: go.cwd })
  const commands = managerCommands({ manager, children, waiting, about, reread })
  control = openSocket(go.controlSocket, () =>
    openControl({
      path: go.controlSocket!,
      kernel,
      commands,
      schedule: (job) => manager.schedule(job),
      failed: (error) => report.defect(error),
    }),
  )
  report.serving(control?.path ?? null, config.companions.length)
  channel.send({ kind: 'ready', control: control?.path ?? null, companions: config.companions.length })

  /** A socket that cannot be made is no reason not to run companions. */
  function openSocket(path: string | null, open: () => ControlServer): ControlServer | null {
    if (path === null) return null
    try {
      return open()
    } catch (error) {
      report.noControl((error as Error).message)
      return null
    }
  }
}

/** What monoceros exits with when a companion that it cannot do without has failed for good. */
function exitCodeOf(trouble: Trouble): number {
  return (trouble.kind === 'exited' && trouble.exit.code) || 1
}

main()
