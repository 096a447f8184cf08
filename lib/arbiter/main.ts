/** The arbiter's process: opens what it needs, puts the parts together, runs until nothing is left, cleans up. */
import type { LoadedConfig } from '../config/load.ts'
import { EXIT_CODE } from '../exit-codes.ts'
import { loadKernel } from '../kernel/addon.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import { Loop } from '../runtime/loop.ts'
import { claimPidfile, type Pidfile } from '../system/pidfile.ts'
import { SetupError } from '../system/setup-error.ts'
import { outliveTerminal } from '../system/terminal.ts'
import { VERSION } from '../version.ts'
import { assemble } from './assemble.ts'
import { inheritedSockets, openListeners } from './binds.ts'
import { openArbiterControl } from './control.ts'
import { Listeners } from './listeners.ts'
import { leaveNodeOptionsToWorkers } from './node-options.ts'
import { ARBITER_SIGNALS } from './orders.ts'
import { openLog } from './outputs.ts'
import { prepareGeneration } from './prepare.ts'
import type { Origin } from './reloader.ts'
import { openScrape, type Scrape } from './scrape.ts'
import { startStatsd } from './statsd.ts'

/** Serves until a signal says otherwise. The exit code; everything that was opened is closed again. */
export async function runArbiter(loaded: LoadedConfig, origin: Origin): Promise<number> {
  const kernel = loadKernel()
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
  const opened = await openListeners(loaded.config, listeners, process.env)
  const first = prepareGeneration(loaded, opened.listeners)
  let wake = (): void => undefined
  const parts = assemble({ kernel, log, listeners, loaded, first, origin, wake: () => wake() })
  const { arbiter, report } = parts
  // A defect of ours must not take the service down.
  process.on('uncaughtException', (error) => report.defect(error))
  process.on('unhandledRejection', (error) => report.defect(error))
  outliveTerminal(kernel)
  kernel.becomeSubreaper()
  const { procName, pidfile: path, metricsBind } = loaded.config
  kernel.setProcessName(`monoceros: arbiter${procName === null ? '' : ` [${procName}]`}`)
  const loop = new Loop(kernel, ARBITER_SIGNALS, arbiter)
  wake = () => loop.wake()
  let pidfile: Pidfile | null = null
  let scrape: Scrape | null = null
  try {
    if (metricsBind !== null) scrape = openScrape(metricsBind, kernel, parts.metrics.routes())
    // Whoever reads the pidfile may send a signal at once: the handlers stand.
    if (path !== null) pidfile = claimPidfile(path, kernel)
    const control = openArbiterControl(parts.places.arbiter, {
      kernel,
      log,
      commands: parts.commands,
      schedule: (job) => arbiter.schedule(job),
    })
    const statsd = startStatsd(loaded.config, kernel, log, () => parts.metrics.snapshot())
    report.starting(VERSION, loaded, first)
    for (const warning of opened.warnings) log.warning(warning)
    if (scrape !== null) log.info('metrics are served', { address: scrape.address })
    const code = await parts.over
    control?.close()
    statsd?.close()
    log.info('monoceros has stopped', { code })
    return code
  } finally {
    loop.close()
    scrape?.close()
    listeners.unlink()
    pidfile?.release()
    log.flushNow()
  }
}
