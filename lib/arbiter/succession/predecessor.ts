/**
 * The arbiter before this one (USR2). As long as it is there it has the pidfile, the control socket, the metrics address
 * and the companions; when it is gone, and its manager and whatever that has left behind as well, all this is ours.
 *
 * It takes part in the loop as a ward without a process: the one before us is our parent, not our child.
 */
import { Channel } from '../../channel/channel.ts'
import { notedSessions } from '../../channel/sessions.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Log } from '../../log/log.ts'
import { killLeftovers } from '../../system/leftovers.ts'
import { processStat } from '../../system/processes.ts'
import { fd, type Ms, ms, type Pid, pid } from '../../units.ts'
import { type Ward, WithoutProcess } from '../ward.ts'
import { type FromSuccessor, type Handover, notedManager } from './handover.ts'

/** Between two looks at a process that is leaving. */
const LOOK_AGAIN = ms(20)

export type PredecessorParts = {
  readonly kernel: Kernel
  readonly log: Log
  /** Everything is ours. */
  readonly takeOver: () => void
  readonly wake: () => void
}

export class Predecessor extends WithoutProcess implements Ward {
  readonly #parts: PredecessorParts
  readonly #handover: Handover
  readonly #channel: Channel<never, FromSuccessor>
  readonly #sessions: ArrayBuffer
  readonly #manager: ArrayBuffer
  #state: 'there' | 'leaving' | 'gone' = 'there'
  #lookAt: Ms | null = null

  constructor(parts: PredecessorParts, handover: Handover) {
    super()
    const { kernel, wake } = parts
    this.#parts = parts
    this.#handover = handover
    this.#sessions = kernel.map(fd(handover.sessions))
    this.#manager = kernel.map(fd(handover.manager))
    for (const one of [handover.sessions, handover.manager]) kernel.close(fd(one))
    this.#channel = new Channel<never, FromSuccessor>(kernel, fd(handover.channel), {} as never)
    this.#channel.open({
      message: () => undefined,
      ended: () => {
        this.#state = 'leaving'
        this.#lookAt = kernel.now()
        wake()
      },
      garbled: () => undefined,
    })
  }

  get isThere(): boolean {
    return this.#state !== 'gone'
  }

  /** All workers are ready: the one before us may go. */
  ready(): void {
    if (this.#state === 'there') this.#channel.send({ kind: 'ready' })
  }

  judge(now: Ms): void {
    if (this.#lookAt === null || now < this.#lookAt) return
    this.#lookAt = null
    if (this.#isAllGone()) this.#end()
    else this.#lookAt = ms(now + LOOK_AGAIN)
  }

  deadline(): Ms | null {
    return this.#lookAt
  }

  stop(): void {}

  /** In this order: a manager that lives could still start companions, and notes them where we look. */
  #isAllGone(): boolean {
    const { kernel } = this.#parts
    const { pid: number, start } = this.#handover
    if (runs({ pid: pid(number), start })) return false
    const noted = notedManager(this.#manager)
    if (noted !== null && runs(noted)) return false
    const found = killLeftovers(notedSessions(this.#sessions), (session, member, signal) =>
      kernel.killMember(session, member, signal),
    )
    return found.length === 0
  }

  #end(): void {
    const { log, takeOver } = this.#parts
    this.#state = 'gone'
    this.#channel.close()
    takeOver()
    // Said when it is done: who reads the line may look for the pidfile.
    log.info('the arbiter before this one is gone: this one takes over', { pid: this.#handover.pid })
  }
}

/** It is that process, and no zombie. */
function runs(one: { readonly pid: Pid; readonly start: number }): boolean {
  const stat = processStat(one.pid)
  return stat !== null && stat.start === one.start && stat.state !== 'Z'
}
