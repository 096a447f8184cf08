/**
 * What a worker does with the arbiter's `go`, before any code of the app: from here on its `listen` is intercepted, its
 * heart beats and the arbiter is heard. The same for a worker that was exec'd and for one that was forked.
 */
import { row } from '../channel/heartbeat.ts'
import { formatAddress } from '../config/address.ts'
import type { WorkerSettings } from '../config/settings.ts'
import type { EngineOptions } from '../http/engine.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { outliveTerminal } from '../system/terminal.ts'
import { type Fd, ms } from '../units.ts'
import { exportTarget } from './app/address.ts'
import { Boot } from './app/boot.ts'
import { Faults } from './app/faults.ts'
import { watchImports } from './app/imports.ts'
import { schemeOf } from './app/scheme.ts'
import { beatInterval, startBeat } from './beat.ts'
import { becomeClusterWorker, refuseFork } from './cluster.ts'
import { Drain } from './drain.ts'
import { engineOptions } from './engine-options.ts'
import { prepareHooks } from './hooks/prepare.ts'
import { RequestHooks } from './hooks/request-hooks.ts'
import { NOBODY_HEARS, offerSend, tellSlot } from './identity.ts'
import type { Joined } from './join.ts'
import { delegating, type Lineage, type Past } from './lineage.ts'
import { asker } from './listen/ask-arbiter.ts'
import { Gate } from './listen/gate.ts'
import { Lent } from './listen/lent.ts'
import { interceptListen, type ListenPolicy } from './listen/listen.ts'
import { accepting, firstServer, servesBind, stopAccepting } from './listen/open-servers.ts'
import { Probe } from './listen/probe.ts'
import { watchMemory } from './memory-limit.ts'
import { otherEndOf } from './other-end.ts'
import { reopen } from './reopen.ts'
import { watchRequests } from './request-limit.ts'
import { Durations } from './responses/durations.ts'
import { accessLog, tellAll } from './responses/responses.ts'
import { Servers, type ServersOptions } from './serve.ts'
import { noteTicketKeys } from './tickets.ts'

/** Node's own, whatever the app puts in its place. */
const later = setTimeout

/**
 * Begins; `file` is the app's, absolute. The boot that it gives is told what the module exports. `lineage`: for a worker
 * that was forked, and may become a mold.
 */
export const begin = (
  kernel: Kernel,
  { channel, go, settings, fds, ahead }: Joined,
  file: string,
  lineage: Lineage | null = null,
): Boot => {
  const [memory, alarm, ...listeners] = fds as [Fd, Fd, ...Fd[]]
  const warn = (text: string) => void channel.send({ kind: 'log', level: 'warning', text })
  const faults = new Faults(file, go.slot === 0, (fault) => void channel.send({ kind: 'failed', ...fault }))
  const access = accessLog(settings, kernel, warn)
  const durations = settings.metricsBind === null && settings.statsdHost === null ? null : new Durations()
  const past = lineage?.past ?? null
  const hooks = past?.hooks ?? new RequestHooks()
  hooks.begin({
    worker: { slot: go.slot, generation: go.generation, pid: process.pid },
    timeout: settings.hookTimeout,
    warn,
  })
  const options: ServersOptions = {
    engine: {
      ...(ahead?.engine ?? fronted(settings, faults, kernel)),
      ...(settings.hooks.includes('preRequest') && { onRequest: (request) => hooks.before(request) }),
    },
    responded: tellAll(
      access,
      durations,
      settings.hooks.includes('postRequest') ? (record) => hooks.after(record) : null,
    ),
    tickets: go.tickets ?? null,
    warn,
  }
  past?.servers.renew(options)
  const servers = past?.servers ?? new Servers(options)
  if (past === null) prepareHooks({ settings, faults, hooks, servers, tls: options.engine.tls, warn })
  const reportImports = settings.reload
    ? watchImports((files, since) => void channel.send({ kind: 'loaded', files, since }))
    : null
  const gate = new Gate(!go.waits)
  const bind = go.listeners.map((address, place) => ({ address, fd: listeners[place]! }))

  const policy: ListenPolicy = {
    bind,
    backlog: settings.backlog,
    dup: (fd) => kernel.dup(fd),
    grows: settings.reusePort,
    guard: (handle) => gate.guard(handle),
    ask: asker(channel),
    adopt: (server, family) => servers.adopt(server, family),
    accepting: () => boot.accepting(),
    redirected: (name, to) => {
      // Each worker does the same; one line is enough.
      if (go.slot === 0)
        channel.send({
          kind: 'log',
          level: 'info',
          text: `the app's ${name} is led to ${to.map(formatAddress).join(', ')} (bind)`,
        })
    },
  }
  const current = past?.policy ?? { current: policy }
  current.current = policy
  const listened = past?.listened ?? interceptListen(delegating(current))
  const lent = new Lent(kernel, listened)
  const boot: Boot = new Boot({
    file,
    faults,
    waitReady: settings.waitReady,
    schemeOf: schemeOf(settings),
    target: exportTarget(settings.exportAddress, process.env.PORT),
    listening: () => (go.listeners.length === 0 || servesBind(listened) ? accepting(listened) : []),
    elsewhere: () => (go.slot === 0 ? accepting(listened) : []),
    ready(address) {
      reportImports?.()
      channel.send({ kind: 'ready', address })
      later(() => channel.send({ kind: 'lasted' }), go.lasts).unref()
    },
    warn,
  })
  /** The channel of the mold that this worker is to become. */
  let promotion: { readonly fd: Fd; readonly patience: number } | null = null
  const drain = new Drain({
    idle: settings.drainIdle,
    streams: settings.drainStreams,
    now: () => kernel.now(),
    stopAccepting: () => {
      for (const [server, { shared }] of listened) stopAccepting(kernel, server, gate.isOpen || !shared)
      for (const { fd } of bind.splice(0)) kernel.close(fd)
      gate.shut()
    },
    finish: (times) => servers.drain(times),
    counts: () => servers.counts(),
    report: (idle, active) => void channel.send({ kind: 'draining', idle, active }),
    instead(within, leave) {
      if (promotion === null || lineage === null) return false
      const { fd, patience } = promotion
      layDown()
      const handedOn: Past = { servers, hooks, listened, policy: current }
      void lineage.promote({ past: handedOn, alarm, channel: fd, patience: ms(Math.min(patience, within)) }).then(leave)
      return true
    },
  })
  const probe = new Probe(
    () => firstServer(listened, { tls: settings.certfile !== null, proxy: settings.proxyProtocol }),
    (outcome) => void channel.send({ kind: 'probed', ...outcome }),
  )
  const leave = () => {
    faults.settle()
    process.exit()
  }

  noteTicketKeys()
  tellSlot(settings.instanceVar, go.slot)
  offerSend({
    ready: () => boot.said(),
    dropped: () => warn(NOBODY_HEARS),
  })
  if (settings.clusterWorker)
    becomeClusterWorker(go.slot + 1, (how) => void channel.send({ kind: 'retire', reason: how }))
  refuseFork(() => faults.forked())
  if (settings.procName !== null) kernel.setProcessName(`${settings.procName}: worker ${go.slot}`)
  outliveTerminal(kernel)
  const unwatch = faults.watch()
  channel.open({
    message: (message, received) => {
      if (message.kind === 'promote' && lineage !== null) promotion = { fd: received[0]!, patience: message.patience }
      else if (message.kind === 'drain') {
        faults.settle()
        probe.stop()
        drain.order({ within: ms(message.within), after: ms(message.after ?? 0) })
      } else if (message.kind === 'quit') leave()
      else if (message.kind === 'accept') gate.open()
      else if (message.kind === 'lend') lent.take(message.slot, message.listeners, received)
      else if (message.kind === 'return') lent.giveBack(message.slot)
      else if (message.kind === 'probe') probe.start(message.path)
      else if (message.kind === 'tickets') servers.renewTickets(message.key)
      else if (message.kind === 'reopen') reopen(kernel, message, received, access)
      else for (const fd of received) kernel.close(fd)
    },
    ended: leave,
    garbled: () => undefined,
  })
  channel.unref()
  // Null: the thread of the addon watches. Else it names the symbol that this Node lacks.
  if ((ahead === null ? kernel.watchForStuckStack(alarm) : ahead.watchLacks) !== null)
    void import('./stack-thread.ts').then(({ startStackThread }) => startStackThread(alarm))
  const source = { counts: () => servers.counts(), durations }
  const beat = startBeat(row(ahead?.memory ?? kernel.map(memory), go.cell), source, beatInterval(settings.timeout))
  kernel.close(memory)
  const retire = (reason: string) => void channel.send({ kind: 'retire', reason })
  const watches = [watchRequests(settings, () => servers.counts().requests, retire), watchMemory(settings, retire)]
  // However it comes to that: no line and no count of the last second is lost.
  const lastThings = (): void => {
    servers.reportOpen()
    beat.last()
    access?.flush()
  }
  process.on('exit', lastThings)
  /** All that it has begun here: the process is to be somebody else. */
  const layDown = (): void => {
    lastThings()
    process.off('exit', lastThings)
    for (const stop of [...watches, unwatch]) stop()
    beat.stop()
    probe.stop()
    boot.end()
    lent.giveAllBack()
    access?.close()
    channel.close()
  }
  channel.send({ kind: 'announced', pid: process.pid })
  return boot
}

/** What is wrong with the files of TLS ends the boot. */
const fronted = (settings: WorkerSettings, faults: Faults, kernel: Kernel): EngineOptions => {
  try {
    return engineOptions(settings, otherEndOf(kernel))
  } catch (error) {
    return faults.end({ fault: 'setting', text: (error as Error).message })
  }
}
