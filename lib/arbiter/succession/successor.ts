/**
 * USR2: starts a new arbiter on our sockets. Both serve until somebody decides: WINCH and TERM to us, and the new one
 * takes over; TERM to the new one, and all is as it was (after a WINCH, HUP starts our workers again).
 *
 * It takes part in the loop as a ward that nobody waits for: it is not ours to stop.
 */
import { Channel } from '../../channel/channel.ts'
import type { Exit, Kernel } from '../../kernel/kernel.ts'
import type { Log } from '../../log/log.ts'
import type { Leader } from '../../runtime/reaper.ts'
import { exitWords } from '../../supervision/describe.ts'
import { processStat } from '../../system/processes.ts'
import type { Fd, Ms, Pid } from '../../units.ts'
import { VERSION } from '../../version.ts'
import type { Listeners } from '../listeners/listeners.ts'
import type { Ward } from '../ward.ts'
import { FROM_SUCCESSOR, type FromSuccessor, type HandedFds, successorPlan } from './handover.ts'

export type SuccessorParts = {
  readonly kernel: Kernel
  readonly log: Log
  readonly listeners: Listeners
  /** The whole of how this process was started. */
  readonly command: { readonly argv: readonly string[]; readonly cwd: string }
  readonly companions: () => Omit<HandedFds, 'channel'>
  /** The arbiter before us is still there. */
  readonly isSecond: () => boolean
  /** Who the service manager is to take for the main process. */
  readonly mainPid: (pid: Pid) => void
}

type Running = { readonly pid: Pid; readonly channel: Channel<FromSuccessor, never> }

export class Successor implements Ward {
  readonly isGone = true
  readonly #parts: SuccessorParts
  #running: Running | null = null

  constructor(parts: SuccessorParts) {
    this.#parts = parts
  }

  /** The new arbiter, where there is one. */
  get pid(): Pid | null {
    return this.#running?.pid ?? null
  }

  start(): void {
    const { log, isSecond, kernel } = this.#parts
    if (this.#running !== null) log.warning('a new arbiter is there already', { pid: this.#running.pid })
    else if (isSecond()) log.warning('no new arbiter is started while the one before this one is still there')
    else if (kernel.getpid() === 1)
      log.error('process 1 of a container cannot leave its place to another; use "monocerosctl upgrade"')
    else this.#spawn()
  }

  leaders(): ReadonlyMap<Pid, Leader> {
    return new Map(this.#running === null ? [] : [[this.#running.pid, null]])
  }

  lastWords(): void {
    this.#running?.channel.hear()
  }

  left(exit: Exit): boolean {
    if (exit.pid !== this.#running?.pid) return false
    const { log, kernel, mainPid } = this.#parts
    this.#running.channel.close()
    this.#running = null
    log.warning(`the new arbiter ${exitWords(exit)}; this one goes on`, { pid: exit.pid })
    mainPid(kernel.getpid())
    return true
  }

  judge(): void {}

  deadline(): Ms | null {
    return null
  }

  stop(): void {}

  #spawn(): void {
    const { kernel, log, listeners, command, companions } = this.#parts
    const opened: Fd[] = []
    try {
      const [ours, theirs] = kernel.channelPair()
      opened.push(ours, theirs)
      const own = kernel.getpid()
      const what = { version: VERSION, pid: own, start: processStat(own)!.start, ...listeners.handed() }
      const { plan, blob } = successorPlan(kernel, command, what, { channel: theirs, ...companions() })
      opened.push(blob)
      const pid = kernel.spawn(plan)
      kernel.close(theirs)
      kernel.close(blob)
      log.info('a new arbiter was started', { pid })
      this.#listen(pid, ours)
    } catch (error) {
      for (const fd of opened) kernel.close(fd)
      log.error(`no new arbiter could be started: ${(error as Error).message}`)
    }
  }

  #listen(pid: Pid, fd: Fd): void {
    const { kernel, log, mainPid } = this.#parts
    const channel = new Channel<FromSuccessor, never>(kernel, fd, FROM_SUCCESSOR)
    this.#running = { pid, channel }
    channel.open({
      message: () => {
        log.info('the new arbiter serves; TERM ends this one', { pid })
        mainPid(pid)
      },
      // Its exit is what counts, and comes by itself.
      ended: () => channel.close(),
      garbled: () => undefined,
    })
  }
}
