/** Puts the arbiter's parts together. They know of each other only through what is handed over here. */

import { presentable } from '../config/describe.ts'
import type { LoadedConfig } from '../config/load.ts'
import { type Config, SETTING_NAMES } from '../config/settings.ts'
import { EXIT_CODE } from '../exit-codes.ts'
import { loadImage } from '../kernel/addon.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import { syslogSettings } from '../log/syslog-settings.ts'
import { newPool } from '../supervision/pool.ts'
import { createNotifier } from '../system/notify.ts'
import { ms } from '../units.ts'
import { VERSION } from '../version.ts'
import { Arbiter } from './arbiter.ts'
import { arbiterCommands } from './commands.ts'
import { controlPlaces } from './control.ts'
import type { Generation } from './generations/generation.ts'
import { prepareGeneration } from './generations/prepare.ts'
import { type Origin, Reloader } from './generations/reloader.ts'
import { haltedAs } from './halted.ts'
import { Heartbeats } from './heartbeats.ts'
import { Hooks } from './hooks/hooks.ts'
import { HookReport } from './hooks/report.ts'
import type { Listeners } from './listeners/listeners.ts'
import { companionsMark, limitAtStart, managerConfig } from './manager/companions.ts'
import { Manager } from './manager/manager.ts'
import { ManagerReport } from './manager/report.ts'
import { Metrics } from './metrics/metrics.ts'
import { Molds } from './molds/molds.ts'
import { MoldReport } from './molds/report.ts'
import { Notices } from './notices.ts'
import { Outputs, styleOf } from './outputs.ts'
import { Premises } from './premises.ts'
import type { Report } from './report.ts'
import { ServiceManager } from './service-manager.ts'
import { StatusView } from './status.ts'
import { commandOfThisProcess, whole } from './succession/command.ts'
import type { Handover } from './succession/handover.ts'
import { Predecessor } from './succession/predecessor.ts'
import { Successor } from './succession/successor.ts'
import type { Notice } from './surroundings.ts'
import { Tickets } from './tickets.ts'
import type { ArbiterState } from './upgrade/state.ts'
import { Upgrade } from './upgrade/upgrade.ts'
import { upgradedFrom } from './upgrade/upgraded.ts'
import type { Ward } from './ward.ts'
import { SourceWatch } from './watch/sources.ts'
import { Workers } from './workers.ts'

/** What a start may take beyond its own deadlines, before the service manager is asked for no more time. */
const START_MARGIN = 10_000

export type Ingredients = {
  readonly kernel: Kernel
  readonly log: Log
  readonly report: Report
  readonly listeners: Listeners
  readonly loaded: LoadedConfig
  readonly first: Generation
  readonly origin: Origin
  /** From the arbiter before this one, where there is one. */
  readonly handover: Handover | null
  /** From the image of this process before this one, where there was one. */
  readonly state: ArbiterState | null
  readonly wake: () => void
  /** A part of the loop's turn threw: a defect of ours. */
  readonly defect: (error: unknown) => void
}

export type Assembled = {
  readonly arbiter: Arbiter
  readonly premises: Premises
  /** Whether another arbiter goes on with our sockets. */
  readonly hasSuccessor: () => boolean
  /** Settles with the exit code when nothing is left. */
  readonly over: Promise<number>
}

export function assemble(ingredients: Ingredients): Assembled {
  const { kernel, log, report, listeners, loaded, first, origin, handover, state, wake, defect } = ingredients
  const command = state?.command ?? commandOfThisProcess()
  const started = state === null ? kernel.now() : ms(state.started)
  const places = controlPlaces(loaded, log)
  const outputs = new Outputs(kernel, loaded.config, state?.outputs)
  const notices = new Notices()
  const heartbeats = new Heartbeats(kernel, state?.heartbeats ?? null)
  const workers: Workers = new Workers(
    kernel,
    heartbeats,
    listeners,
    outputs,
    VERSION,
    () => tickets.key,
    (worker, what) => arbiter.heard(worker, what),
  )
  const tickets = new Tickets(
    {
      now: () => kernel.now(),
      tell: (key) => {
        molds.reserve.revoke()
        workers.tellAll({ kind: 'tickets', key })
      },
    },
    state?.tickets ?? null,
  )
  let code: number = EXIT_CODE.done
  let end = (): void => undefined
  const over = new Promise<number>((resolve) => {
    end = () => resolve(code)
  })

  const manager = new Manager(
    {
      kernel,
      report: new ManagerReport(log, () => kernel.now()),
      standard: () => outputs.standard,
      plan: () => ({
        controlSocket: places.manager,
        name: places.name,
        cwd: reloader.current.cwd,
        log: { ...styleOf(reloader.current.config), syslog: syslogSettings(reloader.current.config) },
      }),
      reread: async () => managerConfig(await reloader.read()),
      fatal(exitCode) {
        code = exitCode
        arbiter.schedule(() => arbiter.stop('graceful'))
      },
      wake,
    },
    managerConfig(loaded),
    state?.manager ?? null,
  )
  const service = new ServiceManager({
    notifier: createNotifier({ kernel, env: process.env, pid: process.pid, onTrouble: (line) => log.warning(line) }),
    pool: () => arbiter.pool,
    now: () => kernel.now(),
    startLimit: () => ms(reloader.current.config.bootTimeout + reloader.current.config.startsecs + START_MARGIN),
    watchdog: (answered) => report.watchdog(answered),
  })
  const hooks = new Hooks(
    {
      kernel,
      report: new HookReport(log, () => kernel.now()),
      standard: () => outputs.standard,
      pool: () => arbiter.pool,
      othersGone: () => arbiter.isOverBut(hooks),
      wake,
    },
    loaded,
    state?.hooks,
  )
  const metrics = new Metrics({ pool: () => arbiter.pool, workers, heartbeats, listeners, log }, state?.metrics ?? null)
  const sources = new SourceWatch({ log, now: () => kernel.now(), reload: () => void reload(), wake }, loaded)
  let mark = state?.mark ?? companionsMark(loaded, first.program.file)

  const told = (notice: Notice): void => {
    service.noticed(notice)
    hooks.noticed(notice)
    sources.noticed(notice)
    metrics.noticed(notice)
    if (notice.kind === 'halted') code = haltedAs(notice).code
    if (notice.kind === 'started' && predecessor?.isThere) predecessor.ready()
    else if (notice.kind === 'started') manager.start()
    if (notice.kind === 'reloaded' && !predecessor?.isThere) {
      const before = mark
      mark = companionsMark(reloader.current, first.program.file)
      if (reloader.current.config.reloadCompanions === 'always' || mark !== before)
        manager.reload(managerConfig(reloader.current))
    }
    notices.tell(notice)
  }

  const reopen = (): void => {
    log.reopen()
    useOutputs(reloader.current.config)
    const { files, fds, captured } = outputs.opened
    for (const ward of [manager, hooks]) ward.reopen(captured === null ? null : [captured, captured])
    if (files.length > 0) workers.tellAll({ kind: 'reopen', files }, fds)
  }

  /** What cannot be opened is said, and the files of before go on. */
  const useOutputs = (config: Config): void => {
    try {
      outputs.adopt(config)
      molds.reopen()
    } catch (error) {
      log.error(error instanceof Error ? error.message : String(error))
    }
  }

  const molds = new Molds({
    kernel,
    workers,
    report: new MoldReport(log),
    happened: (event) => arbiter.happened(event),
    generationOf: (number) => arbiter.generationOf(number),
    standard: () => outputs.standard,
    isKnown: (pid) => workers.get(pid) !== undefined || wards.some((ward) => ward.leaders().has(pid)),
    wake,
  })
  const successor = new Successor({
    kernel,
    log,
    listeners,
    command: { argv: whole(command, origin), cwd: origin.cwd },
    companions: () => manager.traces,
    isSecond: () => predecessor?.isThere ?? false,
    mainPid: (pid) => service.mainPid(pid),
  })
  const takeOver = (): void => {
    listeners.own()
    manager.reload(managerConfig(reloader.current))
    try {
      premises.take()
    } catch (error) {
      log.error(error instanceof Error ? error.message : String(error))
    }
  }
  const predecessor = handover === null ? null : new Predecessor({ kernel, log, takeOver, wake }, handover)
  const wards: readonly Ward[] = [
    molds,
    manager,
    service,
    sources,
    tickets,
    successor,
    ...(predecessor === null ? [] : [predecessor]),
    hooks,
  ]
  const arbiter: Arbiter = new Arbiter(
    {
      kernel,
      workers,
      listeners,
      report,
      told,
      loaded: (generation, what) => sources.loaded(generation, what),
      wake,
      molds,
      wards,
      over: end,
      defect,
      elsewhere(order) {
        if (order.kind === 'reload') void reload()
        else if (order.kind === 'reopen') reopen()
        else hooks.before('preExec', () => successor.start())
      },
    },
    newPool(first.size, process.pid),
    first,
  )
  const reloader = new Reloader(
    {
      log,
      origin,
      prepare: (read) => prepareGeneration(read, first.listeners),
      begin(read, generation) {
        const { config } = read
        log.configure(styleOf(config))
        useOutputs(config)
        hooks.adopt(read)
        sources.adopt(read)
        arbiter.reload(generation)
      },
      schedule: (job) => arbiter.schedule(job),
    },
    loaded,
  )
  if (state === null) hooks.before('onStarting', () => arbiter.begin())
  const reload = async (): Promise<readonly string[] | null> => {
    service.reloading()
    const problems = await reloader.reload()
    if (problems !== null) service.refused(problems)
    return problems
  }
  const upgrade = new Upgrade({
    kernel,
    image: loadImage(),
    log,
    origin,
    command,
    pool: () => arbiter.pool,
    hindrance() {
      if (successor.pid !== null || predecessor?.isThere) return 'another arbiter is there (USR2)'
      if (molds.reserve.hasBegun) return 'a worker is just being followed; try again'
      return reloader.isReading ? 'the settings are being read' : null
    },
    pack() {
      const staying = workers.pack()
      return {
        origin,
        command,
        loaded: reloader.current,
        started,
        mark,
        listeners: listeners.handed(),
        arbiter: arbiter.pack(),
        heartbeats: heartbeats.pack(staying.map(({ cell }) => cell.index)),
        workers: staying,
        manager: manager.pack(),
        metrics: metrics.pack(),
        premises: premises.pack(),
        outputs: outputs.pack(),
        hooks: hooks.pack(),
        tickets: tickets.pack(),
        openFiles: limitAtStart(),
      }
    },
    helpers: () => [...molds.leaders().keys(), ...hooks.leaders().keys()],
    preExec: (then) => hooks.beforeReplacement(then),
    pause: () => premises.pause(),
    resume: () => premises.resume(),
    schedule: (job) => arbiter.schedule(job),
  })
  const commands = arbiterCommands({
    kernel,
    arbiter,
    listeners,
    status: new StatusView(workers, molds),
    started,
    name: places.name,
    cwd: loaded.cwd,
    companionSocket: () => manager.control,
    config: () =>
      Object.fromEntries(SETTING_NAMES.map((name) => [name, presentable(name, reloader.current.config[name])])),
    reload,
    upgrade: () => upgrade.run(),
    upgraded: state === null ? null : upgradedFrom(state),
    notice: (accepts, gone) => notices.wait(accepts, gone),
  })
  const premises: Premises = new Premises({
    kernel,
    log,
    loaded,
    metrics,
    commands,
    control: places.arbiter,
    schedule: (job) => arbiter.schedule(job),
  })
  if (state !== null) {
    arbiter.unpack(state.arbiter, loaded.config)
    workers.unpack(state.workers, (number) => arbiter.generationOf(number))
    arbiter.schedule(() => molds.warm(arbiter.generationOf(arbiter.pool.generation)))
  }
  return { arbiter, premises, hasSuccessor: () => successor.pid !== null, over }
}
