/** The arbiter's process: puts the parts together, runs until there is nothing left to supervise, cleans up. */
import type { LoadedConfig } from '../config/load.ts'
import { EXIT_CODE } from '../exit-codes.ts'
import { loadKernel } from '../kernel/addon.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import { Loop } from '../runtime/loop.ts'
import { newPool } from '../supervision/pool.ts'
import { claimPidfile, type Pidfile } from '../system/pidfile.ts'
import { SetupError } from '../system/setup-error.ts'
import { VERSION } from '../version.ts'
import { Arbiter, type Notice } from './arbiter.ts'
import { openBinds } from './binds.ts'
import { Heartbeats } from './heartbeats.ts'
import { Listeners } from './listeners.ts'
import { leaveNodeOptionsToWorkers } from './node-options.ts'
import { ARBITER_SIGNALS } from './orders.ts'
import { Outputs, openLog, styleOf } from './outputs.ts'
import { prepareGeneration } from './prepare.ts'
import { type Origin, Reloader } from './reloader.ts'
import { Report } from './report.ts'
import { Workers } from './workers.ts'

/** Serves until a signal says otherwise. The exit code; everything that was opened is closed again. */
export async function runArbiter(loaded: LoadedConfig, origin: Origin): Promise<number> {
  const kernel = loadKernel()
  leaveNodeOptionsToWorkers(kernel)
  const listeners = new Listeners(kernel)
  try {
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
  const binds = await openBinds(loaded.config, listeners)
  const first = prepareGeneration(loaded, binds)
  const outputs = new Outputs(kernel, loaded.config)
  const report = new Report(log, () => kernel.now())
  const workers = new Workers(kernel, new Heartbeats(kernel), VERSION, (worker, what) => arbiter.heard(worker, what))

  let code: number = EXIT_CODE.done
  let end = (): void => undefined
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const told = (notice: Notice): void => {
    if (notice.kind === 'halted') code = notice.cause === 'appFailed' ? EXIT_CODE.app : EXIT_CODE.boot
    if (notice.kind === 'emptied') end()
  }

  const reopen = (): void => {
    log.reopen()
    const files = outputs.reopen(reloader.current.config)
    if (files === null) return
    for (const { pid } of workers.all()) workers.tell(pid, { kind: 'reopen', files: ['stdout', 'stderr'] }, files)
  }

  const arbiter: Arbiter = new Arbiter(
    {
      kernel,
      workers,
      listeners,
      report,
      told,
      standard: () => outputs.standard,
      wake: () => loop.wake(),
      elsewhere(order) {
        if (order.kind === 'reload') void reloader.reload()
        else if (order.kind === 'reopen') reopen()
      },
    },
    newPool(first.size, process.pid),
    first,
  )
  const reloader = new Reloader(
    {
      log,
      origin,
      prepare: (read) => prepareGeneration(read, binds),
      begin({ config }, generation) {
        log.configure(styleOf(config))
        arbiter.reload(generation)
      },
      schedule: (job) => arbiter.schedule(job),
    },
    loaded,
  )

  // A defect of ours must not take the service down.
  process.on('uncaughtException', (error) => report.defect(error))
  process.on('unhandledRejection', (error) => report.defect(error))
  kernel.becomeSubreaper()
  kernel.setProcessName(`monoceros: arbiter${loaded.config.procName ? ` [${loaded.config.procName}]` : ''}`)
  const loop = new Loop(kernel, ARBITER_SIGNALS, arbiter)
  let pidfile: Pidfile | null = null
  try {
    // Whoever reads the pidfile may send a signal at once: the handlers stand.
    if (loaded.config.pidfile !== null) pidfile = claimPidfile(loaded.config.pidfile, kernel)
    report.starting(VERSION, loaded, first)
    await over
    log.info('monoceros has stopped', { code })
    return code
  } finally {
    loop.close()
    listeners.unlink()
    pidfile?.release()
    log.flushNow()
  }
}
