/** Children of the fake kernel: scripted processes that run in this one. */
import type { Exit, Signal, SpawnPlan } from '../../lib/kernel/kernel.ts'
import type { Pid } from '../../lib/units.ts'
import { MOST_QUEUED, type OpenFile, type Packet, release } from './fake-files.ts'

/** What a program does when it begins to run. Later things it does in its handlers and timers. */
export type FakeProgram = (self: FakeProcess) => void

/** Signals whose default is to be ignored (signal(7)). */
const HARMLESS: ReadonlySet<Signal> = new Set<Signal>(['SIGCHLD', 'SIGURG', 'SIGWINCH', 'SIGCONT'])
const DUMPS: ReadonlySet<Signal> = new Set<Signal>([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGQUIT',
  'SIGSEGV',
  'SIGSYS',
])

/** What a process asks of the kernel that runs it. */
export type FakeHost = {
  ended(process: FakeProcess): void
  forked(parent: FakeProcess, program: FakeProgram): FakeProcess
  changed(): void
}

export class FakeProcess {
  readonly pid: Pid
  readonly plan: SpawnPlan
  readonly files: Map<number, OpenFile>
  /** Of the group and session it is in: the pid of their leader. */
  readonly group: Pid
  readonly session: Pid
  parent: Pid
  /** Null while it lives. */
  exit: Exit | null = null
  stopped = false
  /** Handlers that it has installed; `'ignore'` is SIG_IGN. */
  readonly handlers = new Map<Signal, (() => void) | 'ignore'>()
  /** Called when a datagram or the end of the channel at this descriptor has come. */
  readonly hears = new Map<number, () => void>()
  /** Every signal that reached it, whatever it did with it. */
  readonly received: Signal[] = []
  readonly #host: FakeHost

  constructor(host: FakeHost, parent: Pid, pid: Pid, plan: SpawnPlan, files: Map<number, OpenFile>, kin: Kinship) {
    this.#host = host
    this.parent = parent
    this.pid = pid
    this.plan = plan
    this.files = files
    this.group = plan.leader === undefined ? kin.group : pid
    this.session = plan.leader === 'session' ? pid : kin.session
  }

  /** Ends it, as exit(3) or a signal's default action would. */
  exits(code: number): void {
    this.#end({ code, signal: null, core: false })
  }

  dies(signal: Signal): void {
    this.#end({ code: null, signal, core: DUMPS.has(signal) })
  }

  /** Delivers a signal. */
  takes(signal: Signal): void {
    if (this.exit !== null) return
    this.received.push(signal)
    if (signal === 'SIGSTOP') this.stopped = true
    if (signal === 'SIGCONT') this.stopped = false
    const handler = signal === 'SIGKILL' || signal === 'SIGSTOP' ? undefined : this.handlers.get(signal)
    if (typeof handler === 'function') handler()
    else if (handler === undefined && signal !== 'SIGSTOP' && !HARMLESS.has(signal)) this.dies(signal)
  }

  /** A child of it, which is adopted by the nearest subreaper when this process ends. */
  forks(program: FakeProgram): FakeProcess {
    return this.#host.forked(this, program)
  }

  /** Sends a datagram on the channel that stands at this descriptor. */
  sends(fd: number, data: string | Uint8Array, files: readonly OpenFile[] = []): boolean {
    const file = this.files.get(fd)
    if (file?.kind !== 'channel') throw new Error(`descriptor ${fd} of process ${this.pid} is no channel`)
    if (file.peer === null || file.peer.inbox.length >= MOST_QUEUED) return false
    file.peer.inbox.push({ data: Buffer.from(data), files })
    this.#host.changed()
    return true
  }

  /** Takes the next datagram from the channel at this descriptor. */
  receives(fd: number): Packet | null | 'end' {
    const file = this.files.get(fd)
    if (file?.kind !== 'channel') throw new Error(`descriptor ${fd} of process ${this.pid} is no channel`)
    const packet = file.inbox.shift()
    return packet ?? (file.peer === null ? 'end' : null)
  }

  #end(how: Pick<Exit, 'code' | 'signal' | 'core'>): void {
    if (this.exit !== null) return
    this.exit = { pid: this.pid, ...how, usage: { userMs: 1, systemMs: 1, maxRssKib: 1024 } }
    this.hears.clear()
    this.files.forEach(release)
    this.files.clear()
    this.#host.ended(this)
  }
}

export type Kinship = { readonly group: Pid; readonly session: Pid }
