/**
 * The worker processes that are there: each with its channel, its alarm and its row of the heartbeat memory. Carries
 * out what is decided elsewhere (start, tell) and passes on what workers say; decides nothing itself.
 */
import { Channel, type PackedChannel } from '../channel/channel.ts'
import { TO_ARBITER } from '../channel/decode.ts'
import { PROTOCOL, type ToArbiter, type ToWorker } from '../channel/messages.ts'
import type { Kernel, Signal } from '../kernel/kernel.ts'
import type { Leader } from '../runtime/reaper.ts'
import { type Key, keyText } from '../supervision/pool.ts'
import { type Fd, fd, type Pid } from '../units.ts'
import type { Generation } from './generations/generation.ts'
import { workerPlan } from './generations/plan.ts'
import { type Cell, type Heartbeats, hasBeaten } from './heartbeats.ts'
import type { Listener, Listeners } from './listeners/listeners.ts'
import type { Outputs } from './outputs.ts'

export type Worker = {
  readonly key: Key
  readonly pid: Pid
  readonly generation: Generation
  readonly channel: Channel<ToArbiter, ToWorker>
  readonly alarm: Fd
  readonly cell: Cell
  /** It takes no connection yet. */
  waits: boolean
  /** Other slots whose own listeners it accepts on as well. */
  readonly lent: Set<number>
  /** What it said was wrong with its app, if it did. */
  fault: Extract<ToArbiter, { kind: 'failed' }> | null
}

/** A worker for another image of this process; which generation it is of, its key says. */
export type PackedWorker = Pick<Worker, 'key' | 'pid' | 'waits' | 'fault'> & {
  readonly channel: PackedChannel
  readonly alarm: number
  readonly cell: { readonly index: number; readonly lastBeat: number }
  readonly lent: readonly number[]
}

/** A worker's things before it has a process. */
export type Unborn = Pick<Worker, 'key' | 'generation' | 'waits' | 'alarm' | 'cell'> & {
  /** What `bind` names, as its slot has it. */
  readonly listeners: readonly Listener[]
  readonly channel: Worker['channel']
  /** The other end of it; null where a process has it already. */
  readonly theirs: Fd | null
}

/** What connects us with a worker, whoever that will be. */
export type Ends = Pick<Unborn, 'channel' | 'theirs' | 'alarm' | 'cell'>

/** What is heard of a worker: its messages but `failed`, which is kept, and `beat`, a sign of life. */
export type Heard =
  | Exclude<ToArbiter, { kind: 'failed' }>
  | { readonly kind: 'beat' }
  | { readonly kind: 'garbled'; readonly why: string }

/** Sockets that a process that was forked ahead is given. An app that listens on more asks for the others. */
const MOST_OPEN = 16

export class Workers {
  readonly #kernel: Kernel
  readonly #heartbeats: Heartbeats
  readonly #listeners: Pick<Listeners, 'forSlot' | 'shared'>
  readonly #outputs: Pick<Outputs, 'standard' | 'opened'>
  readonly #version: string
  readonly #tickets: () => string
  readonly #heard: (worker: Worker, what: Heard) => void
  readonly #byPid = new Map<Pid, Worker>()
  /** Told to begin, and not heard yet. */
  readonly #called = new Set<Worker>()

  constructor(
    kernel: Kernel,
    heartbeats: Heartbeats,
    listeners: Pick<Listeners, 'forSlot' | 'shared'>,
    outputs: Pick<Outputs, 'standard' | 'opened'>,
    version: string,
    tickets: () => string,
    heard: (worker: Worker, what: Heard) => void,
  ) {
    this.#kernel = kernel
    this.#heartbeats = heartbeats
    this.#listeners = listeners
    this.#outputs = outputs
    this.#version = version
    this.#tickets = tickets
    this.#heard = heard
  }

  /**
   * Starts a worker by fork/exec; `waits`: it accepts nothing before `admit`. Throws a `SpawnError` (or the kernel's for a
   * full descriptor table); then nothing is left of it.
   */
  start(key: Key, generation: Generation, waits: boolean): Worker {
    const unborn = this.prepare(key, generation, waits)
    const ends = { ...this.#outputs.standard, channel: unborn.theirs! }
    let pid: Pid | null = null
    try {
      pid = this.#kernel.spawn(workerPlan(generation.program, process.execPath, ends))
      return this.adopt(unborn, pid)
    } catch (error) {
      if (pid !== null) this.#kernel.kill(pid, 'SIGKILL')
      this.discard(unborn)
      throw error
    }
  }

  /**
   * Everything that a worker needs on our side, before there is a process; `ends`: those of a process that was forked
   * ahead. Ends in `adopt` or in `discard`.
   */
  prepare(key: Key, generation: Generation, waits: boolean, ends: Ends | null = null): Unborn {
    const listeners = generation.listeners.map((listener) => this.#listeners.forSlot(listener, key.slot))
    return { key, generation, listeners, waits, ...(ends ?? this.ends()) }
  }

  /** Ends in `discard`, unless it comes to a worker. */
  ends(): Ends {
    const cell = this.#heartbeats.take()
    let alarm: Fd | null = null
    try {
      alarm = this.#kernel.alarm()
      const [ours, theirs] = this.#kernel.channelPair()
      return { channel: new Channel<ToArbiter, ToWorker>(this.#kernel, ours, TO_ARBITER), theirs, alarm, cell }
    } catch (error) {
      if (alarm !== null) this.#kernel.close(alarm)
      this.#heartbeats.giveBack(cell)
      throw error
    }
  }

  /** To a process that was forked ahead, and has been adopted. */
  stay({ channel, alarm }: Ends, { settings, listeners }: Generation, sibling: Pid | undefined): void {
    const arbiter = this.#kernel.getpid()
    const sockets = this.#listeners.shared(listeners).slice(0, MOST_OPEN)
    const open = sockets.map(({ name, address }) => ({ name, address }))
    channel.send({ kind: 'stay', arbiter, settings, open, ...(sibling !== undefined && { sibling }) }, [
      this.#heartbeats.memory,
      alarm,
      ...sockets.map(({ fd }) => fd),
    ])
  }

  /** The process is there. Throws as `call` does. */
  adopt(unborn: Unborn, pid: Pid): Worker {
    const worker = this.call(unborn, pid)
    this.open(worker)
    return worker
  }

  /** Has one that was forked ahead told to begin when this worker is dying: then it is `called`. */
  bequeath(of: Pid, unborn: Unborn): void {
    const { go, fds } = this.#go(unborn)
    unborn.channel.bequeath(of, go, fds)
  }

  /**
   * The process is there, and is told to begin. Ends in `open`, or in `dismiss` and `bury`. Throws where that cannot be said;
   * then it ends in `discard`.
   */
  call(unborn: Unborn, pid: Pid): Worker {
    const { go, fds } = this.#go(unborn)
    // It is waited for: before anything else.
    unborn.channel.send(go, fds)
    const worker = this.called(unborn, pid)
    if (unborn.theirs !== null) this.#kernel.close(unborn.theirs)
    return worker
  }

  /** The process is there, and was told to begin. Ends as `call`. */
  called({ key, generation, waits, channel, alarm, cell }: Unborn, pid: Pid): Worker {
    const worker: Worker = { key, pid, generation, channel, alarm, cell, waits, lent: new Set(), fault: null }
    // The logs may have been reopened since it was asked for.
    const { files, fds } = this.#outputs.opened
    if (files.length > 0) channel.send({ kind: 'reopen', files }, fds)
    this.#called.add(worker)
    return worker
  }

  /** One that was called is not to be a worker after all. */
  dismiss(worker: Worker): void {
    this.#called.delete(worker)
    this.#closeEnds({ ...worker, theirs: null })
  }

  /** One that was dismissed was reaped. */
  bury({ cell }: Worker): void {
    this.#heartbeats.giveBack(cell)
  }

  /** Nobody has begun with these, and nobody will. */
  discard(ends: Ends): void {
    this.#closeEnds(ends)
    this.#heartbeats.giveBack(ends.cell)
  }

  pack(): readonly PackedWorker[] {
    return [...this.#byPid.values()].map(({ key, pid, waits, fault, channel, alarm, cell, lent }) => ({
      key,
      pid,
      waits,
      fault,
      channel: channel.pack(),
      alarm,
      cell: { index: cell.index, lastBeat: cell.lastBeat },
      lent: [...lent],
    }))
  }

  unpack(packed: readonly PackedWorker[], generationOf: (number: number) => Generation): void {
    for (const { key, pid, waits, fault, channel, alarm, cell, lent } of packed) {
      const worker: Worker = {
        key,
        pid,
        waits,
        fault,
        generation: generationOf(key.generation),
        channel: Channel.unpack<ToArbiter, ToWorker>(this.#kernel, channel, TO_ARBITER),
        alarm: fd(alarm),
        cell: this.#heartbeats.cell(cell.index, cell.lastBeat),
        lent: new Set(lent),
      }
      this.open(worker)
      this.#heartbeats.watch(worker.cell, pid)
    }
  }

  get(pid: Pid): Worker | undefined {
    return this.#byPid.get(pid)
  }

  all(): Iterable<Worker> {
    return this.#byPid.values()
  }

  /** Each worker leads its own process group. */
  leaders(): ReadonlyMap<Pid, Leader> {
    return new Map([...this.#byPid.keys()].map((pid) => [pid, 'group']))
  }

  /** Says it over the channel; false when the worker does not hear any more. */
  tell(pid: Pid, message: ToWorker, fds: readonly Fd[] = []): boolean {
    return this.#byPid.get(pid)?.channel.send(message, fds) ?? false
  }

  /** Says it to each, those included that were only called yet. */
  tellAll(message: ToWorker, fds: readonly Fd[] = []): void {
    for (const { channel } of [...this.#byPid.values(), ...this.#called]) channel.send(message, fds)
  }

  /** Lets a worker that waits accept connections. */
  admit(worker: Worker): void {
    if (!worker.waits) return
    worker.waits = false
    worker.channel.send({ kind: 'accept' })
  }

  /** Sends a signal, and CONT after it: a stopped process would keep it pending. */
  signal(pid: Pid, signal: Signal): void {
    if (this.#kernel.kill(pid, signal)) this.#kernel.kill(pid, 'SIGCONT')
  }

  /** Makes the worker print where its JavaScript is. */
  ringAlarm(pid: Pid): void {
    const worker = this.#byPid.get(pid)
    if (worker) this.#kernel.ring(worker.alarm)
  }

  /** Looks at every heartbeat. */
  listenForBeats(): void {
    for (const worker of this.#byPid.values()) if (hasBeaten(worker.cell)) this.#heard(worker, { kind: 'beat' })
  }

  /** Hears what a worker that has exited said last. */
  lastWords(pid: Pid): void {
    this.#byPid.get(pid)?.channel.hear()
  }

  /** Forgets a worker that was reaped. */
  forget(pid: Pid): void {
    const worker = this.#byPid.get(pid)
    if (!worker) return
    this.#byPid.delete(pid)
    this.#kernel.forgetLife(pid)
    worker.channel.close()
    this.#kernel.close(worker.alarm)
    this.#heartbeats.giveBack(worker.cell)
  }

  /** From now on it is one of the workers, and heard. */
  open(worker: Worker): void {
    const { pid, cell, channel } = worker
    this.#called.delete(worker)
    this.#byPid.set(pid, worker)
    channel.open({
      message: (message, fds) => {
        for (const fd of fds) this.#kernel.close(fd)
        if (message.kind === 'failed') worker.fault ??= message
        else this.#heard(worker, message)
        if (message.kind === 'announced') this.#heartbeats.watch(cell, pid)
      },
      // Its exit is what counts, and comes by itself.
      ended: () => channel.close(),
      garbled: (why) => this.#heard(worker, { kind: 'garbled', why }),
    })
  }

  #closeEnds({ channel, theirs, alarm }: Omit<Ends, 'cell'>): void {
    channel.close()
    this.#kernel.close(alarm)
    if (theirs !== null) this.#kernel.close(theirs)
  }

  /** The order to begin. What one that was forked ahead has heard by `stay` is left out. */
  #go({ key, generation, theirs, alarm, cell, waits, listeners }: Unborn): {
    readonly go: ToWorker
    readonly fds: readonly Fd[]
  } {
    const stayed = theirs === null
    return {
      go: {
        kind: 'go',
        protocol: PROTOCOL,
        version: this.#version,
        arbiter: this.#kernel.getpid(),
        slot: key.slot,
        generation: key.generation,
        cell: cell.index,
        listeners: listeners.map((listener) => listener.address),
        ...(!stayed && { settings: generation.settings }),
        waits,
        lasts: generation.config.startsecs,
        tickets: this.#tickets(),
      },
      fds: [...(stayed ? [] : [this.#heartbeats.memory, alarm]), ...listeners.map((listener) => listener.fd)],
    }
  }
}

/** A worker as logs name it. */
export const nameOf = ({ key, pid }: Worker): { readonly worker: string; readonly pid: number } => ({
  worker: keyText(key),
  pid,
})
