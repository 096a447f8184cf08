/**
 * Keeps the companion manager alive while companions are configured: one life (`supervision/life.ts`), one process.
 *
 * A manager that is killed leaves companions behind, in sessions of their own, which it had noted in the memory that we
 * share. Until nothing is left of them its exit is not told to its life: so no companion is ever there twice.
 */
import { join } from 'node:path'
import { writeBlob } from '../../channel/blob.ts'
import { Channel, type PackedChannel } from '../../channel/channel.ts'
import { FROM_MANAGER } from '../../channel/manager-decode.ts'
import {
  type FromManager,
  MANAGER_PROTOCOL,
  type ManagerConfig,
  type ManagerGo,
  type ToManager,
} from '../../channel/manager-messages.ts'
import { CHANNEL_VARIABLE } from '../../channel/messages.ts'
import { clearSessions, notedSessions, SESSIONS_BYTES } from '../../channel/sessions.ts'
import { childEnvironment } from '../../kernel/environment.ts'
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import type { Leader } from '../../runtime/reaper.ts'
import { deadline } from '../../supervision/deadline.ts'
import type { How } from '../../supervision/ladder.ts'
import { type Event, isAtRest, type Life, type LifePolicy, newLife, pidOf, step } from '../../supervision/life.ts'
import { killLeftovers } from '../../system/leftovers.ts'
import { processStat } from '../../system/processes.ts'
import { type Fd, fd, type Ms, ms, type Pid } from '../../units.ts'
import { VERSION } from '../../version.ts'
import { managerPolicy } from '../generations/policy.ts'
import type { Standard } from '../outputs.ts'
import { MANAGER_PAGE_BYTES, noteManager } from '../succession/handover.ts'
import type { Ward } from '../ward.ts'
import type { ManagerReport } from './report.ts'

/** Between two looks for what a dead manager has left. */
const LOOK_AGAIN = ms(20)

const SIGNAL = { terminate: 'SIGTERM', abort: 'SIGABRT', kill: 'SIGKILL' } as const

const MAIN = join(__dirname, '..', '..', 'manager', 'main.js')
const CHANNEL = 3

/** What the manager is started with, the companions apart. */
export type ManagerPlan = {
  readonly controlSocket: string | null
  readonly name: string
  readonly cwd: string
  readonly log: ManagerGo['log']
}

export type ManagerParts = {
  readonly kernel: Kernel
  readonly report: ManagerReport
  readonly standard: () => Standard
  readonly plan: () => ManagerPlan
  /** Reads the companions' settings again for `reread`; rejects with a one-line error. */
  readonly reread: () => Promise<ManagerConfig>
  /** A companion whose end is everybody's. */
  readonly fatal: (code: number, text: string) => void
  readonly wake: () => void
}

/** For another image of this process. */
export type PackedManager = {
  readonly config: ManagerConfig
  readonly life: Life
  readonly channel: PackedChannel | null
  readonly left: Exit | null
  readonly control: string | null
  readonly sessions: number
  readonly page: number
}

export class Manager implements Ward {
  readonly #parts: ManagerParts
  readonly #sessions: Fd
  readonly #memory: ArrayBuffer
  /** Names the process, for an arbiter that follows this one. */
  readonly #page: Fd
  readonly #events: Event[] = []
  #life: Life = newLife(process.pid)
  #policy: LifePolicy
  #config: ManagerConfig
  #channel: Channel<FromManager, ToManager> | null = null
  /** The exit of a manager whose leftovers are being killed. */
  #left: Exit | null = null
  #lookAt: Ms | null = null
  #control: string | null = null

  constructor(parts: ManagerParts, config: ManagerConfig, packed: PackedManager | null = null) {
    const { kernel } = parts
    this.#parts = parts
    this.#config = packed?.config ?? config
    this.#policy = managerPolicy(this.#config.companions)
    this.#sessions = packed ? fd(packed.sessions) : kernel.sharedMemory('monoceros-sessions', SESSIONS_BYTES)
    this.#memory = kernel.map(this.#sessions)
    this.#page = packed ? fd(packed.page) : kernel.sharedMemory('monoceros-manager', MANAGER_PAGE_BYTES)
    if (packed !== null) this.#unpack(packed)
  }

  pack(): PackedManager {
    const channel = this.#channel?.pack() ?? null
    const { sessions, manager: page } = this.traces
    return { config: this.#config, life: this.#life, channel, left: this.#left, control: this.#control, sessions, page }
  }

  #unpack({ life, channel, left, control }: PackedManager): void {
    this.#life = life
    this.#left = left
    this.#control = control
    if (left !== null) this.#lookAt = this.#parts.kernel.now()
    const pid = pidOf(life)
    if (channel === null || pid === null) return
    this.#hear(pid, Channel.unpack<FromManager, ToManager>(this.#parts.kernel, channel, FROM_MANAGER))
  }

  /** Where the manager's own control socket stands; null while there is none. */
  get control(): string | null {
    return this.#control
  }

  /** What another arbiter needs to see that nothing of the companions is left. */
  get traces(): { readonly sessions: Fd; readonly manager: Fd } {
    return { sessions: this.#sessions, manager: this.#page }
  }

  get isGone(): boolean {
    return this.#left === null && isAtRest(this.#life) && this.#life.want === 'down'
  }

  /** Begins, where companions are configured and nothing is there yet. */
  start(): void {
    if (this.#config.companions.length > 0 && this.#life.want === 'down') this.#happened({ kind: 'start' })
  }

  /** New settings: the manager drains and another one begins with them, or none where nothing is configured any more. */
  reload(config: ManagerConfig): void {
    const hadSome = this.#life.want === 'up'
    this.#config = config
    if (config.companions.length === 0) this.#happened({ kind: 'stop', how: 'stop' })
    else this.#happened({ kind: hadSome ? 'restart' : 'start' })
  }

  /** The configuration that the next manager starts with. */
  get config(): ManagerConfig {
    return this.#config
  }

  stop(how: 'graceful' | 'quick', now: Ms): void {
    this.#events.push({ kind: 'stop', how: how === 'quick' ? 'quick' : 'stop' })
    this.#settle(now)
  }

  reopen(files: readonly Fd[] | null): void {
    this.#channel?.send({ kind: 'reopen', files: files === null ? [] : ['stdout', 'stderr'] }, files ?? [])
  }

  leaders(): ReadonlyMap<Pid, Leader> {
    const pid = this.#left === null ? pidOf(this.#life) : null
    return new Map(pid === null ? [] : [[pid, 'group']])
  }

  lastWords(): void {
    this.#channel?.hear()
  }

  left(exit: Exit, now: Ms): boolean {
    if (exit.pid !== pidOf(this.#life)) return false
    this.#parts.report.left(exit)
    this.#channel?.close()
    this.#channel = null
    this.#control = null
    this.#left = exit
    this.#sweep(now)
    return true
  }

  judge(now: Ms, gap: Ms): void {
    if (this.#left !== null && this.#lookAt !== null && now >= this.#lookAt) this.#sweep(now)
    if (gap > 0) this.#events.push({ kind: 'gap', ms: gap })
    this.#events.push({ kind: 'tick' })
    this.#settle(now)
  }

  deadline(_now: Ms): Ms | null {
    const due = deadline(this.#life, this.#policy)
    if (this.#lookAt === null) return due
    return due === null || this.#lookAt < due ? this.#lookAt : due
  }

  /** Kills what the manager has left behind; its exit counts when nothing is found any more. */
  #sweep(now: Ms): void {
    const { kernel } = this.#parts
    const found = killLeftovers(notedSessions(this.#memory), (session, member, signal) =>
      kernel.killMember(session, member, signal),
    )
    if (found.length > 0) {
      this.#parts.report.swept(found)
      this.#lookAt = ms(now + LOOK_AGAIN)
      return
    }
    clearSessions(this.#memory)
    const exit = this.#left!
    this.#left = null
    this.#lookAt = null
    this.#events.push({ kind: 'exited', pid: exit.pid, exit })
    this.#settle(now)
  }

  #happened(event: Event): void {
    this.#events.push(event)
    this.#parts.wake()
  }

  #settle(now: Ms): void {
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      const from = this.#life
      if (event.kind === 'start') this.#policy = managerPolicy(this.#config.companions)
      const { life, effects } = step(from, event, now, this.#policy)
      this.#life = life
      if (from.phase.kind !== life.phase.kind) this.#parts.report.moved(life)
      for (const effect of effects) {
        if (effect.kind === 'spawn') this.#spawn()
        else if (effect.kind === 'signal') this.#signal(effect.pid, effect.how)
      }
    }
  }

  #spawn(): void {
    const { kernel, standard, plan } = this.#parts
    this.#policy = managerPolicy(this.#config.companions)
    const opened: Fd[] = []
    try {
      const [ours, theirs] = kernel.channelPair()
      opened.push(ours, theirs)
      const blob = writeBlob(kernel, this.#config)
      opened.push(blob)
      const { stdin, stdout, stderr } = standard()
      const pid = kernel.spawn({
        file: process.execPath,
        argv: [process.execPath, MAIN],
        env: { ...childEnvironment(process.env), [CHANNEL_VARIABLE]: String(CHANNEL) },
        fds: [
          { from: stdin, to: 0 },
          { from: stdout, to: 1 },
          { from: stderr, to: 2 },
          { from: theirs, to: CHANNEL },
        ],
        cwd: plan().cwd,
        leader: 'group',
        parentDeathSignal: 'SIGTERM',
      })
      kernel.close(theirs)
      noteManager(kernel.map(this.#page), processStat(pid))
      this.#listen(pid, ours, blob)
      this.#events.push({ kind: 'spawned', pid })
    } catch (error) {
      for (const fd of opened) kernel.close(fd)
      this.#events.push({ kind: 'spawnFailed', error: (error as Error).message })
    }
  }

  #hear(pid: Pid, channel: Channel<FromManager, ToManager>): void {
    this.#channel = channel
    channel.open({
      message: (message) => this.#heard(pid, message),
      ended: () => channel.close(),
      garbled: (why) => this.#parts.report.garbled(why),
    })
  }

  #listen(pid: Pid, fd: Fd, blob: Fd): void {
    const { kernel, plan } = this.#parts
    const channel = new Channel<FromManager, ToManager>(kernel, fd, FROM_MANAGER)
    this.#hear(pid, channel)
    const { controlSocket, name, cwd, log } = plan()
    const arbiter = kernel.getpid()
    channel.send({ kind: 'go', protocol: MANAGER_PROTOCOL, version: VERSION, arbiter, controlSocket, name, cwd, log }, [
      this.#sessions,
      blob,
    ])
    kernel.close(blob)
  }

  #heard(pid: Pid, message: FromManager): void {
    switch (message.kind) {
      case 'announced':
        return this.#happened({ kind: 'announced', pid })
      case 'ready':
        this.#control = message.control
        return this.#happened({ kind: 'ready', pid })
      case 'reread':
        void this.#reread(message.id)
        return
      case 'fatal':
        this.#parts.report.fatal(message.name, message.text)
        return this.#parts.fatal(message.code, message.text)
    }
  }

  async #reread(id: number): Promise<void> {
    const { kernel, reread } = this.#parts
    try {
      const config = await reread()
      const blob = writeBlob(kernel, config)
      this.#config = config
      this.#channel?.send({ kind: 'config', id }, [blob])
      kernel.close(blob)
    } catch (error) {
      this.#channel?.send({ kind: 'configFailed', id, error: (error as Error).message })
    }
  }

  /** A manager has no watcher for its stack; where it hangs, the next step of its ladder follows. */
  #signal(pid: Pid, how: How): void {
    const { kernel } = this.#parts
    // Reaped, its leftovers not gone: its number may be another's.
    if (this.#left !== null || how === 'stack') return
    if (how === 'drain' || how === 'quit') {
      const heard = this.#channel?.send({ kind: 'stop', how: how === 'drain' ? 'graceful' : 'quick' })
      if (!heard) kernel.kill(pid, how === 'drain' ? 'SIGTERM' : 'SIGQUIT')
    } else kernel.kill(pid, SIGNAL[how])
    kernel.kill(pid, 'SIGCONT')
  }
}
