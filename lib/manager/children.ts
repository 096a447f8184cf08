/**
 * The companion processes that are there: each with its outputs, its place in the memory of sessions and, for a
 * `target`, its channel. Carries out what is decided elsewhere; decides nothing itself.
 */
import { writeBlob } from '../channel/blob.ts'
import { Channel } from '../channel/channel.ts'
import { forgetSession, noteSession, SESSIONS } from '../channel/sessions.ts'
import { FROM_TARGET, type FromTarget, type TargetOrder, type ToTarget } from '../channel/target-messages.ts'
import type { CompanionConfig } from '../config/companions.ts'
import type { Kernel, Signal } from '../kernel/kernel.ts'
import type { Leader } from '../runtime/reaper.ts'
import type { Fault } from '../supervision/trouble.ts'
import { type Identity, resolveIdentity } from '../system/identity.ts'
import { processStat } from '../system/processes.ts'
import type { Fd, Pid } from '../units.ts'
import type { LogFiles } from './log-file.ts'
import { isPiped, type Outputs, openInherited, openOutputs } from './outputs.ts'
import { companionEnvironment, companionPlan } from './plan.ts'
import { sizeOf } from './tail.ts'

export type Child = {
  readonly name: string
  readonly pid: Pid
  readonly config: CompanionConfig
  readonly outputs: Outputs
  readonly channel: Channel<FromTarget, ToTarget> | null
  /** Where its part of the log of its stderr begins; null where that is no file. */
  readonly stderrFrom: number | null
  /** What a `target` said of its own end. */
  fault: Fault | null
  /** The last signal that somebody asked us to send it, but for stopping. */
  asked: Signal | null
}

type Environment = Readonly<Record<string, string>>

/** A companion's things before it has a process. */
export type Unborn = Pick<Child, 'config' | 'outputs' | 'stderrFrom'> & {
  /** The manager's environment for companions. */
  readonly env: Environment
  /** The channel of a `target`. */
  readonly ours: Fd | null
  readonly theirs: Fd | null
  /** How often the logs had been reopened when its outputs were opened. */
  readonly reopenings: number
}

export class Children {
  readonly #kernel: Kernel
  readonly #sessions: ArrayBuffer
  /** What companions read from. */
  readonly stdin: Fd
  readonly #files: LogFiles
  readonly #garbled: (child: Child, why: string) => void
  readonly #byPid = new Map<Pid, Child>()
  readonly #identities = new Map<string, Identity | null>()
  #reopenings = 0

  constructor(
    kernel: Kernel,
    sessions: ArrayBuffer,
    stdin: Fd,
    files: LogFiles,
    garbled: (child: Child, why: string) => void,
  ) {
    this.#kernel = kernel
    this.#sessions = sessions
    this.stdin = stdin
    this.#files = files
    this.#garbled = garbled
  }

  /** Starts a companion by fork/exec. Throws an `Error` of one line; then nothing is left of it. */
  start(config: CompanionConfig, env: Environment): Child {
    const unborn = this.prepare(config, env)
    const { outputs, theirs } = unborn
    try {
      const descriptors = { ...outputs, stdin: this.stdin, channel: theirs }
      return this.#adopt(unborn, this.#kernel.spawn(companionPlan(config, env, this.identity(config), descriptors)))
    } catch (error) {
      this.discard(unborn)
      throw error
    }
  }

  /** All that a companion needs on our side, before there is a process. Ends in `adopt` or in `discard`. Throws as `start`. */
  prepare(config: CompanionConfig, env: Environment): Unborn {
    const { run, stderr, stdout } = config
    // One that is not noted would outlive a manager that is killed.
    if (this.#byPid.size >= SESSIONS)
      throw new Error(`${SESSIONS} companions run already: more cannot be kept track of`)
    this.identity(config)
    const log = stderr.kind === 'stdout' ? stdout : stderr
    const stderrFrom = log.kind === 'file' ? sizeOf(log.path) : null
    const outputs = openOutputs(this.#kernel, this.#files, config)
    try {
      const [ours, theirs] = run.kind === 'target' ? this.#kernel.channelPair() : [null, null]
      return { config, env, outputs, ours, theirs, stderrFrom, reopenings: this.#reopenings }
    } catch (error) {
      outputs.started()
      outputs.ended()
      throw error
    }
  }

  /**
   * A companion was forked, and waits to be told what it is. What went wrong with its logs, in one line each. Throws where
   * it cannot be told; then nothing is left.
   */
  adopt(unborn: Unborn, pid: Pid): string[] {
    const { config, env } = unborn
    const { name, run, cwd, umask } = config
    if (run.kind !== 'target') throw new Error(`${name} is no target`)
    const { module, export: exported } = run
    let blob: Fd | null = null
    try {
      const whole = companionEnvironment(config, env, this.identity(config))
      const order: TargetOrder = { name, module, export: exported, cwd, umask, env: whole }
      blob = writeBlob(this.#kernel, order)
      const child = this.#adopt(unborn, pid)
      // Before `go`: it writes nothing to files that were moved away since it was asked for.
      const problems = unborn.reopenings < this.#reopenings ? this.#reopenOne(child) : []
      child.channel?.send({ kind: 'go', manager: this.#kernel.getpid() }, [blob])
      return problems
    } catch (error) {
      if (this.#byPid.has(pid)) this.forget(pid)
      else this.discard(unborn)
      throw error
    } finally {
      if (blob !== null) this.#kernel.close(blob)
    }
  }

  /** There will be no process. */
  discard({ outputs, ours, theirs }: Unborn): void {
    for (const fd of [ours, theirs]) if (fd !== null) this.#kernel.close(fd)
    outputs.started()
    outputs.ended()
  }

  get(pid: Pid): Child | undefined {
    return this.#byPid.get(pid)
  }

  named(name: string): Child | undefined {
    return [...this.#byPid.values()].find((child) => child.name === name)
  }

  /** Each companion leads its own session. */
  leaders(): ReadonlyMap<Pid, Leader> {
    return new Map([...this.#byPid.keys()].map((pid) => [pid, 'session']))
  }

  /**
   * Sends the stop signal, and CONT after it: a stopped process would keep it pending. A shell does not pass on what it
   * gets, so what it has started is told too.
   */
  stop(pid: Pid, { stopSignal, stopAsGroup }: Pick<CompanionConfig, 'stopSignal' | 'stopAsGroup'>): void {
    // One that was just forked leads no group yet.
    const send = (signal: Signal): boolean =>
      (stopAsGroup && this.#kernel.killGroup(pid, signal)) || this.#kernel.kill(pid, signal)
    if (send(stopSignal)) send('SIGCONT')
  }

  /** What is left of its session is killed when it is reaped. */
  kill(pid: Pid): void {
    this.#kernel.kill(pid, 'SIGKILL')
  }

  /** Sends a signal that somebody asked for. */
  pass(child: Child, signal: Signal): void {
    child.asked = signal
    this.#kernel.kill(child.pid, signal)
  }

  /**
   * Gives `target` companions new descriptors for their log files, and for what they have of ours: children that they
   * start from now on inherit them. A program cannot be told; its pipe mode is for that.
   */
  reopen(): string[] {
    this.#reopenings++
    const problems = this.#files.reopen()
    for (const child of this.#byPid.values()) if (child.channel !== null) problems.push(...this.#reopenOne(child))
    return problems
  }

  /** Hears what a companion that has exited said last. */
  lastWords(pid: Pid): void {
    this.#byPid.get(pid)?.channel?.hear()
  }

  /** Forgets a companion that was reaped, of whose session nothing is left. */
  forget(pid: Pid): void {
    const child = this.#byPid.get(pid)
    if (!child) return
    this.#byPid.delete(pid)
    child.channel?.close()
    child.outputs.ended()
    forgetSession(this.#sessions, pid)
  }

  #adopt({ config, outputs, ours, theirs, stderrFrom }: Unborn, pid: Pid): Child {
    const { name } = config
    this.#note(pid)
    outputs.started()
    if (theirs !== null) this.#kernel.close(theirs)
    const channel = ours === null ? null : new Channel<FromTarget, ToTarget>(this.#kernel, ours, FROM_TARGET)
    const child: Child = { name, pid, config, outputs, channel, stderrFrom, fault: null, asked: null }
    this.#byPid.set(pid, child)
    channel?.open({
      message: (message, fds) => {
        for (const fd of fds) this.#kernel.close(fd)
        child.fault ??= message
      },
      ended: () => channel.close(),
      garbled: (why) => this.#garbled(child, why),
    })
    return child
  }

  /** Looked up once: a directory service may take its time, and a companion that fails is started again and again. */
  identity({ user, group }: CompanionConfig): Identity | null {
    const key = JSON.stringify([user, group])
    const known = this.#identities.get(key)
    if (known !== undefined) return known
    const found = resolveIdentity({ user, group })
    this.#identities.set(key, found)
    return found
  }

  /** The child is not reaped before we say so, so its start time is there to be read. */
  #note(pid: Pid): void {
    noteSession(this.#sessions, { id: pid, start: processStat(pid)?.start ?? 0 })
  }

  #reopenOne({ config, channel }: Child): string[] {
    const files: ('stdout' | 'stderr')[] = []
    const fds: Fd[] = []
    try {
      for (const stream of ['stdout', 'stderr'] as const) {
        const fd = this.#reopened(config, stream, fds[0])
        if (fd === null) continue
        files.push(stream)
        fds.push(fd)
      }
      if (files.length > 0) channel!.send({ kind: 'reopen', files }, fds)
      return []
    } catch (error) {
      return [`${config.name}: ${(error as Error).message}`]
    } finally {
      for (const fd of new Set(fds)) this.#kernel.close(fd)
    }
  }

  /** Null where it need not change: what it has is a pipe to us. */
  #reopened(config: CompanionConfig, stream: 'stdout' | 'stderr', first: Fd | undefined): Fd | null {
    const output = config[stream]
    if (output.kind === 'stdout') return first ?? null
    if (output.kind === 'inherit') return openInherited(this.#kernel, stream === 'stdout' ? 1 : 2)
    return isPiped(config) ? null : this.#kernel.openAppend(output.path)
  }
}
