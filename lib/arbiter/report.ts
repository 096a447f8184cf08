/** The arbiter's log: which lines it writes about what happens, and how serious each is. Decides nothing. */

import { formatAddress } from '../config/address.ts'
import { readLimits } from '../config/cgroup.ts'
import type { LoadedConfig } from '../config/load.ts'
import { workersHint } from '../config/sizing.ts'
import type { Exit, ListenerAddress, Signal, SignalRecord } from '../kernel/kernel.ts'
import type { Fields } from '../log/format.ts'
import type { Log } from '../log/log.ts'
import { nextWords, troubleWords } from '../supervision/describe.ts'
import type { Life } from '../supervision/life.ts'
import type { Pool } from '../supervision/pool.ts'
import { keyText } from '../supervision/pool.ts'
import type { Fault, Trouble } from '../supervision/trouble.ts'
import type { Ms } from '../units.ts'
import type { Generation } from './generations/generation.ts'
import { haltedAs } from './halted.ts'
import type { Order } from './orders.ts'
import type { Notice } from './surroundings.ts'
import { type Heard, nameOf, type Worker } from './workers.ts'

/** Different lines of a generation's workers that are remembered, so that none is written twice. */
const MOST_REMEMBERED = 100

export class Report {
  readonly #log: Log
  readonly #now: () => Ms
  /** The app's last own error: a loop of the same one is shown once. */
  #shown = ''
  readonly #said = new Set<string>()
  #saidIn = 0

  constructor(log: Log, now: () => Ms) {
    this.#log = log
    this.#now = now
  }

  /** Does it, and writes what it has to say when it is done. */
  after(work: () => void): void {
    this.#log.after(work)
  }

  starting(
    version: string,
    { file, config, sources, warnings }: LoadedConfig,
    { program, size, listeners }: Generation,
  ): void {
    this.#log.info(`monoceros ${version} on Node ${process.version}`, {
      app: program.exported === null ? program.file : `${program.file}:${program.exported}`,
      workers: size,
      config: file ?? undefined,
      pidfile: config.pidfile ?? undefined,
    })
    for (const { address } of listeners) this.listening(address)
    for (const warning of warnings) this.#log.warning(warning)
    const hint = workersHint(sources.workers.kind !== 'default', readLimits())
    if (hint !== null) this.#log.info(hint)
  }

  listening(address: ListenerAddress): void {
    this.#log.info('listening', { address: formatAddress(address) })
  }

  unlistened(address: ListenerAddress): void {
    this.#log.info('no longer listening: the app has closed it', { address: formatAddress(address) })
  }

  ordered({ signal, pid, uid, fromKernel }: SignalRecord, order: Order): void {
    this.#log.info(`received ${signal}: ${wordsOf(order)}`, fromKernel ? { from: 'kernel' } : { from: pid, uid })
  }

  /** `asked`: it was told to leave. Some frameworks end their process by the very signal that has asked for its end. */
  left(worker: Worker, exit: Exit, asked: boolean): void {
    const { code, signal, core, usage } = exit
    const ended: Fields = signal === null ? { code: code ?? 0 } : { signal, ...(core && { core }) }
    const spent = { userMs: Math.round(usage.userMs), systemMs: Math.round(usage.systemMs), maxRssKib: usage.maxRssKib }
    const isOrderly = code === 0 || (asked && signal === 'SIGTERM')
    this.#log[isOrderly ? 'info' : 'warning']('worker left', { ...nameOf(worker), ...ended, ...spent })
  }

  noticed(effect: Notice, { proven }: Pool): void {
    switch (effect.kind) {
      case 'moved':
        return this.#moved(effect, proven)
      case 'started':
        return this.#log.info('all workers are ready', { generation: effect.generation })
      case 'reloading':
        return this.#log.info('starting a new generation', { generation: effect.generation })
      case 'reloaded':
        return this.#log.info('the new generation serves', { generation: effect.generation })
      case 'reloadFailed':
        return this.#log.error(
          `reload failed: ${reloadTrouble(effect.trouble)}; the old generation serves on`,
          { generation: effect.generation },
          this.#stackOnce(effect.trouble),
        )
      case 'halted':
        return this.#log.critical(
          `${haltedAs(effect).words}: ${troubleWords(effect.trouble)}`,
          {},
          this.#stackOnce(effect.trouble),
        )
      case 'drained':
        return this.#log.info('all workers are drained')
      case 'emptied':
        return this.#log.info('all workers have left')
    }
  }

  said(worker: Worker, what: Extract<Heard, { kind: 'draining' | 'log' | 'garbled' }>): void {
    if (what.kind === 'log') this.#saidOnce(worker, what)
    else if (what.kind === 'garbled')
      this.#log.warning('worker sent what is no message', { ...nameOf(worker), why: what.why })
    else this.#log.info('worker drains', { ...nameOf(worker), idle: what.idle, active: what.active })
  }

  probed(worker: Worker, { passed, text }: Extract<Heard, { kind: 'probed' }>): void {
    this.#log[passed ? 'debug' : 'warning'](`readyPath: ${text}`, nameOf(worker))
  }

  retires(worker: Worker, reason: string): void {
    this.#log.info('worker asks to be replaced', { ...nameOf(worker), reason })
  }

  refusedToListen(address: ListenerAddress, message: string): void {
    this.#log.error('cannot listen where the app asks to', { address: formatAddress(address), error: message })
  }

  adopted({ pid, code, signal }: Exit): void {
    this.#log.debug('reaped an orphan', { pid, code, signal })
  }

  late(gap: Ms): void {
    this.#log.warning('the arbiter did not run for a while; every silence is forgiven as much', { ms: Math.round(gap) })
  }

  watchdog(answered: boolean): void {
    if (answered) this.#log.info('the watchdog of the service manager is answered again')
    else this.#log.error('no worker is good: the watchdog of the service manager goes unanswered')
  }

  reinstalled(signals: readonly Signal[]): void {
    this.#log.debug('took signal handlers back', { signals })
  }

  defect(error: unknown): void {
    this.#log.critical('a defect in monoceros', {}, error instanceof Error ? error.stack : String(error))
  }

  #moved({ key, from, to }: Extract<Notice, { kind: 'moved' }>, proven: boolean): void {
    const worker = keyText(key)
    const { phase } = to
    switch (phase.kind) {
      case 'spawning':
        // Another one is started at once: what the app said of itself would be lost.
        if (to.trouble !== from.trouble && faultOf(to.trouble))
          this.#troubled('worker failed', worker, to.trouble!, to, proven)
        return
      case 'starting':
        return this.#log.info('worker started', { worker, pid: phase.child.pid })
      case 'proving':
        return this.#log.info('worker ready', { worker, pid: phase.child.pid })
      case 'up':
        if (from.phase.kind !== 'proving') this.#log.info('worker ready', { worker, pid: phase.child.pid })
        return this.#log.debug('worker is good', { worker, pid: phase.child.pid })
      case 'leaving':
        if (phase.trouble) this.#troubled('worker is in trouble', worker, phase.trouble, to, proven)
        else this.#log.info('worker asked to leave', { worker, pid: phase.child.pid })
        return
      case 'waiting':
      case 'failed':
        if (to.trouble) this.#troubled('worker failed', worker, to.trouble, to, proven)
        return
    }
  }

  /** What one worker says of the app, its siblings and successors in the generation would say as well. */
  #saidOnce(worker: Worker, { level, text }: Extract<Heard, { kind: 'log' }>): void {
    const { generation } = worker.key
    if (generation !== this.#saidIn) this.#said.clear()
    this.#saidIn = generation
    if (this.#said.has(text)) return
    if (this.#said.size < MOST_REMEMBERED) this.#said.add(text)
    this.#log[level](text, nameOf(worker))
  }

  /** A pool of which no worker ever came good gives up when all have failed: until then there will be another try. */
  #troubled(message: string, worker: string, trouble: Trouble, life: Life, proven: boolean): void {
    const condition = !proven && life.phase.kind === 'waiting' ? ', unless every worker fails at the start' : ''
    const what = { worker, why: troubleWords(trouble), next: nextWords(life, this.#now()) + condition }
    this.#log.error(message, what, this.#stackOnce(trouble))
  }

  #stackOnce(trouble: Blamable): string | undefined {
    const stack = faultOf(trouble)?.stack
    if (stack === undefined || stack === this.#shown) return undefined
    this.#shown = stack
    return stack
  }
}

type Blamable = { readonly kind: string; readonly fault?: Fault | null }

const faultOf = (trouble: Blamable | null): Fault | null => trouble?.fault ?? null

const ORDERS = {
  reload: 'reload',
  reopen: 'reopen the logs',
  upgrade: 'start a new arbiter',
  drain: 'drain the workers',
} as const

function wordsOf(order: Order): string {
  if (order.kind === 'stop') return `${order.how} stop`
  if (order.kind === 'scale') return order.by === 1 ? 'one worker more' : 'one worker less'
  return ORDERS[order.kind]
}

/** Why a reload failed, in words. */
export function reloadTrouble(trouble: Extract<Notice, { kind: 'reloadFailed' }>['trouble']): string {
  if (trouble.kind === 'superseded') return `generation ${trouble.by} took its place`
  return trouble.kind === 'stopped' ? 'the workers are stopped' : troubleWords(trouble)
}
