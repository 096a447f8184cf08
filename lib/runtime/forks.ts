/**
 * Births under way: what was asked of molds and not answered yet.
 *
 *   ask ──► mold forks twice ──► the child is adopted by us ──► reply ──► born
 *                                        └► it may die and be reaped before the reply is read: its exit is kept
 */
import type { FromMold } from '../channel/mold-messages.ts'
import type { Exit, Kernel } from '../kernel/kernel.ts'
import { type Fd, type Pid, pid } from '../units.ts'
import type { MoldProcess } from './mold-process.ts'

type Request<Unborn> = {
  readonly unborn: Unborn
  readonly mold: MoldProcess
  abandoned: boolean
}

export type Midwife<Unborn> = {
  readonly kernel: Pick<Kernel, 'kill' | 'isChild'>
  /** Whether it is somebody already. */
  isKnown(pid: Pid): boolean
  /** The process is there; `exit`: and is gone already, and reaped. */
  born(unborn: Unborn, pid: Pid, exit: Exit | undefined): void
  /** There will be none: the fork has failed. */
  failed(unborn: Unborn, error: string): void
  /** Nothing is to come of it any more: its things are to be given back. */
  discard(unborn: Unborn): void
}

export class Forks<Unborn> {
  readonly #midwife: Midwife<Unborn>
  readonly #requests = new Map<number, Request<Unborn>>()
  /** Exits of processes that nobody knows yet, while requests are open. */
  readonly #early = new Map<Pid, Exit>()
  #last = 0

  constructor(midwife: Midwife<Unborn>) {
    this.#midwife = midwife
  }

  /** `fds`: the child's channel, and its 0, 1 and 2. Throws where they cannot be sent; then nothing was asked. */
  ask(mold: MoldProcess, unborn: Unborn, fds: readonly Fd[]): void {
    const request = ++this.#last
    mold.ask(request, fds)
    this.#requests.set(request, { unborn, mold, abandoned: false })
  }

  /** Nothing may come of these. The molds that were asked for them. */
  abandon(which: (unborn: Unborn) => boolean): MoldProcess[] {
    const asked: MoldProcess[] = []
    for (const request of this.#requests.values()) {
      if (!which(request.unborn)) continue
      request.abandoned = true
      asked.push(request.mold)
    }
    return asked
  }

  /** Whether this mold owes an answer. */
  isAwaited(mold: MoldProcess): boolean {
    return [...this.#requests.values()].some((request) => request.mold === mold)
  }

  /** The molds that owe an answer and could give it. */
  get owing(): MoldProcess[] {
    return [...this.#requests.values()].flatMap(({ mold }) => (mold.isQuiet ? [mold] : []))
  }

  /** Whether this exit of an unknown process may be that of one whose birth we have not heard of yet. */
  keeps(exit: Exit): boolean {
    if (this.#requests.size === 0) return false
    this.#early.set(exit.pid, exit)
    return true
  }

  /** A mold has answered. */
  answered(message: Extract<FromMold, { kind: 'forked' | 'forkFailed' }>): void {
    const request = this.#requests.get(message.request)
    this.#requests.delete(message.request)
    if (message.kind === 'forked') this.#born(request, pid(message.pid))
    else if (request?.abandoned) this.#midwife.discard(request.unborn)
    else if (request) this.#midwife.failed(request.unborn, message.text)
    this.#forgetEarly()
  }

  /** A mold was reaped: what it was still asked for, and is wanted. */
  orphaned(mold: MoldProcess): Unborn[] {
    const wanted: Unborn[] = []
    for (const [number, request] of this.#requests) {
      if (request.mold !== mold) continue
      this.#requests.delete(number)
      if (request.abandoned) this.#midwife.discard(request.unborn)
      else wanted.push(request.unborn)
    }
    this.#forgetEarly()
    return wanted
  }

  #born(request: Request<Unborn> | undefined, child: Pid): void {
    const { kernel, isKnown, born, failed, discard } = this.#midwife
    const exit = this.#early.get(child)
    this.#early.delete(child)
    const isWanted = request !== undefined && !request.abandoned
    // An app's code runs in the mold, and what it says is not to be believed.
    const isBorn = exit !== undefined || (kernel.isChild(child) && !isKnown(child))
    if (isWanted && isBorn) return born(request.unborn, child, exit)
    if (isWanted) return failed(request.unborn, `its mold names process ${child}, which was not forked by it`)
    // Reaped as an orphan.
    if (exit === undefined && isBorn) kernel.kill(child, 'SIGKILL')
    if (request) discard(request.unborn)
  }

  /** Without an open request an unknown exit was an orphan's. */
  #forgetEarly(): void {
    if (this.#requests.size === 0) this.#early.clear()
  }
}
