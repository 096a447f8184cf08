/** The arbiter's process: opens what it needs, puts the parts together, runs until nothing is left, cleans up. */
import type { LoadedConfig } from '../config/load.ts'
import { EXIT_CODE } from '../exit-codes.ts'
import { loadKernel } from '../kernel/addon.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import { SetupError } from '../system/setup-error.ts'
import { VERSION } from '../version.ts'
import { prepareGeneration } from './generations/prepare.ts'
import type { Origin } from './generations/reloader.ts'
import { inheritedSockets, openListeners } from './listeners/binds.ts'
import { Listeners } from './listeners/listeners.ts'
import { leaveNodeOptionsToWorkers } from './node-options.ts'
import { openLog } from './outputs.ts'
import { Service } from './service.ts'
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
  const service = new Service({ kernel, log, listeners, loaded, first, origin, handover, state: null })
  return service.run(({ premises }, report) => {
    if (handover === null) premises.take()
    else premises.wait()
    report.starting(VERSION, loaded, first)
    for (const warning of opened.warnings) log.warning(warning)
    const address = premises.metricsAddress
    if (address !== null) log.info('metrics are served', { address })
  })
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
