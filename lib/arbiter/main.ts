/** The arbiter's process: opens what it needs, puts the parts together, runs until nothing is left, cleans up. */
import type { LoadedConfig } from '../config/load.ts'
import { EXIT_CODE } from '../exit-codes.ts'
import { loadKernel } from '../kernel/addon.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import { Loop } from '../runtime/loop.ts'
import { SetupError } from '../system/setup-error.ts'
import { outliveTerminal } from '../system/terminal.ts'
import { VERSION } from '../version.ts'
import { assemble } from './assemble.ts'
import { inheritedSockets, openListeners } from './binds.ts'
import { Listeners } from './listeners.ts'
import { leaveNodeOptionsToWorkers } from './node-options.ts'
import { ARBITER_SIGNALS } from './orders.ts'
import { openLog } from './outputs.ts'
import { prepareGeneration } from './prepare.ts'
import type { Origin } from './reloader.ts'
import { takeHandover } from './succession/handover.ts'

/** Serves until a signal says otherwise. The exit code; everything that was opened is closed again. */
export async function runArbiter(loaded: LoadedConfig, origin: Origin): Promise<number> {
  const kernel = openKernel()
  const listeners = new Listeners(kernel)
  try {
    leaveNodeOptionsToWorkers(kernel, inheritedSockets(loaded.config, process.env))
    const log = openLog(loaded.config, kernel)
    return await serve(kernel, log, listeners, loaded, origin).finally(() => log.close())
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    process.stderr.write(`monoceros: ${error.message}\n`)
    return EXIT_CODE.usage
  } finally {
    listeners.unlink()
  }
}

async function serve(
  kernel: Kernel,
  log: Log,
  listeners: Listeners,
  loaded: LoadedConfig,
  origin: Origin,
): Promise<number> {
  const handover = takeHandover(kernel, process.env)
  if (handover !== null) listeners.inherit(handover)
  const opened = await openListeners(loaded.config, listeners, process.env)
  const first = prepareGeneration(loaded, opened.listeners)
  let wake = (): void => undefined
  const parts = assemble({ kernel, log, listeners, loaded, first, origin, handover, wake: () => wake() })
  const { arbiter, report, premises } = parts
  // A defect of ours must not take the service down.
  process.on('uncaughtException', (error) => report.defect(error))
  process.on('unhandledRejection', (error) => report.defect(error))
  outliveTerminal(kernel)
  kernel.becomeSubreaper()
  const { procName } = loaded.config
  kernel.setProcessName(`monoceros: arbiter${procName === null ? '' : ` [${procName}]`}`)
  const loop = new Loop(kernel, ARBITER_SIGNALS, arbiter)
  wake = () => loop.wake()
  try {
    if (handover === null) premises.take()
    else premises.wait()
    report.starting(VERSION, loaded, first)
    for (const warning of opened.warnings) log.warning(warning)
    const address = premises.metricsAddress
    if (address !== null) log.info('metrics are served', { address })
    const code = await parts.over
    log.info('monoceros has stopped', { code })
    return code
  } finally {
    loop.close()
    if (parts.hasSuccessor()) listeners.disown()
    listeners.unlink()
    premises.close()
    log.flushNow()
  }
}

/** A package that was installed without scripts on a machine for which no binary is shipped has none. */
function openKernel(): Kernel {
  try {
    return loadKernel()
  } catch (error) {
    const [line] = (error as Error).message.split('\n')
    const where = `${process.platform}-${process.arch}`
    throw new SetupError(
      `no binary for ${where} loads; build it with "npm rebuild monoceros" (a C++ compiler): ${line}`,
    )
  }
}
