/**
 * What a worker does before any code of the app: from here on its `listen` is intercepted, its heart beats and the arbiter
 * is heard. The same for a worker that was exec'd and for one that was forked. One that was forked ahead does all that does
 * not depend on who it will be before its `go`.
 */
import type { Server } from 'node:net'
import { lifeOf, row } from '../channel/heartbeat.ts'
import type { Go } from '../channel/messages.ts'
import { formatAddress } from '../config/address.ts'
import type { WorkerSettings } from '../config/settings.ts'
import type { EngineOptions } from '../http/engine.ts'
import type { Kernel, ListenerAddress } from '../kernel/kernel.ts'
import { syslogSettings } from '../log/syslog-settings.ts'
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
import type { Ends, Joined } from './join.ts'
import { delegating, type Lineage, type Past } from './lineage.ts'
import { asker, giver } from './listen/ask-arbiter.ts'
import { Claims } from './listen/claims.ts'
import { Gate } from './listen/gate.ts'
import { Lent } from './listen/lent.ts'
import { familyOf, interceptListen, type ListenPolicy } from './listen/listen.ts'
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

/** With the arbiter's `go`: begins, and gives the boot that is told what the app's module exports. */
export type Begin = (joined: Joined) => Boot

/**
 * Whether what `prepare` makes keeps, however long it is until `go`: files of TLS may be renewed meanwhile, a connection to a
 * syslog server may end, and loaders of modules that are watched have a thread.
 */
export const keeps = (settings: WorkerSettings): boolean =>
  settings.certfile === null && syslogSettings(settings) === null && !settings.reload

/**
 * Makes everything ready; `file` is the app's, absolute. `lineage`: for a worker that was forked, and may become a mold.
 * `expected`: servers that are going to listen, with no code of the app before that. Ends the process where a file of TLS
 * is wrong.
 */
export const prepare = (
  kernel: Kernel,
  { channel, settings, memory, alarm, open }: Ends,
  file: string,
  lineage: Lineage | null = null,
  expected: readonly Server[] = [],
): Begin => {
  /** Known when it begins; nothing asks before. */
  let go: Go
  const bind: { readonly address: ListenerAddress; readonly fd: Fd }[] = []
  const warn = (text: string) => void channel.send({ kind: 'log', level: 'warning', text })
  /** The app does not listen on these. */
  const closeOpen = () => {
    for (const { fd } of open.values()) kernel.close(fd)
    open.clear()
  }
  const faults = new Faults(
    file,
    () => go.slot === 0,
    (fault) => void channel.send({ kind: 'failed', ...fault }),
  )
  const access = accessLog(settings, kernel, warn)
  const durations = settings.metricsBind === null && settings.statsdHost === null ? null : new Durations()
  const past = lineage?.past ?? null
  const hooks = past?.hooks ?? new RequestHooks()
  const options: ServersOptions = {
    engine: {
      ...fronted(settings, faults, kernel),
      ...(settings.hooks.includes('preRequest') && { onRequest: (request) => hooks.before(request) }),
    },
    responded: tellAll(
      access,
      durations,
      settings.hooks.includes('postRequest') ? (record) => hooks.after(record) : null,
    ),
    warn,
  }
  past?.servers.renew(options)
  const servers = past?.servers ?? new Servers(options)
  for (const server of expected) servers.adopt(server, familyOf(server))
  if (past === null) prepareHooks({ settings, faults, hooks, servers, tls: options.engine.tls, warn })
  const reportImports = settings.reload
    ? watchImports((files, since) => void channel.send({ kind: 'loaded', files, since }))
    : null
  const gate = new Gate()
  const claims = new Claims(giver(channel))

  const policy: ListenPolicy = {
    bind,
    backlog: settings.backlog,
    dup: (fd) => kernel.dup(fd),
    grows: settings.reusePort,
    guard: (handle) => gate.guard(handle),
    ask: asker(channel, open),
    claim: (handle, address) => claims.claim(handle, address),
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
      closeOpen()
      channel.send({ kind: 'ready', address })
      later(() => channel.send({ kind: 'lasted' }), go.lasts).unref()
    },
    warn,
  })
  /** Ends all that has begun here: the process is to be somebody else. */
  let layDown: () => void
  /** The channel of the mold that this worker is to become. */
  let promotion: { readonly fd: Fd; readonly patience: number } | null = null
  const drain = new Drain({
    idle: settings.drainIdle,
    streams: settings.drainStreams,
    now: () => kernel.now(),
    stopAccepting: () => {
      claims.keep()
      for (const [server, { shared }] of listened) stopAccepting(kernel, server, gate.isOpen || !shared)
      for (const { fd } of bind.splice(0)) kernel.close(fd)
      closeOpen()
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
  offerSend({
    ready: () => boot.said(),
    dropped: () => warn(NOBODY_HEARS),
  })
  refuseFork(() => faults.forked())
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
  if (kernel.watchForStuckStack(alarm) !== null)
    void import('./stack-thread.ts').then(({ startStackThread }) => startStackThread(alarm))
  const heartbeats = kernel.map(memory)
  kernel.close(memory)
  const source = { counts: () => servers.counts(), durations }
  const retire = (reason: string) => void channel.send({ kind: 'retire', reason })

  return (joined) => {
    go = joined.go
    const { slot, generation, tickets } = go
    for (const [place, address] of go.listeners.entries()) bind.push({ address, fd: joined.listeners[place]! })
    if (!go.waits) gate.open()
    if (tickets !== undefined) servers.renewTickets(tickets)
    hooks.begin({ worker: { slot, generation, pid: process.pid }, timeout: settings.hookTimeout, warn })
    tellSlot(settings.instanceVar, slot)
    if (settings.clusterWorker) becomeClusterWorker(slot + 1, (how) => retire(how))
    if (settings.procName !== null) kernel.setProcessName(`${settings.procName}: worker ${slot}`)
    const life = lifeOf(go.cell)
    const beat = startBeat(row(heartbeats, go.cell), source, beatInterval(settings.timeout))
    const watches = [watchRequests(settings, () => servers.counts().requests, retire), watchMemory(settings, retire)]
    // However it comes to that: no line and no count of the last second is lost.
    const lastThings = (): void => {
      servers.reportOpen()
      beat.last()
      access?.flush()
    }
    process.on('exit', lastThings)
    layDown = () => {
      lastThings()
      process.off('exit', lastThings)
      for (const stop of [...watches, unwatch]) stop()
      beat.stop()
      kernel.unmarkLife(heartbeats, life)
      probe.stop()
      boot.end()
      lent.giveAllBack()
      access?.close()
      channel.close()
    }
    kernel.markLife(heartbeats, life)
    channel.send({ kind: 'announced', pid: process.pid })
    return boot
  }
}

/** What is wrong with the files of TLS ends the boot. */
const fronted = (settings: WorkerSettings, faults: Faults, kernel: Kernel): EngineOptions => {
  try {
    return engineOptions(settings, otherEndOf(kernel))
  } catch (error) {
    return faults.end({ fault: 'setting', text: (error as Error).message })
  }
}
