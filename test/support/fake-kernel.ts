/**
 * A kernel in memory, for tests of what stands on the kernel. It passes the same contract test as the real one
 * (`test/kernel/contract.ts`). Its processes are scripted: `programs` says what runs at which path.
 *
 * Nothing happens inside a call: children begin to run, and watches call back, in later turns of the event loop
 * (setImmediate), as they would in reality. Its clock stands still unless moved (`advance`).
 */
import { kernelError } from '../../lib/kernel/errors.ts'
import type { Kernel, ResourceLimit, Rights, Signal, SignalRecord, Watch } from '../../lib/kernel/kernel.ts'
import { signalNumber } from '../../lib/kernel/signals.ts'
import { type Fd, type Ms, ms, type Pid, pid } from '../../lib/units.ts'
import { FakeChildren } from './fake-children.ts'
import { OWN } from './fake-descriptors.ts'

export type { FakeProcess, FakeProgram } from './fake-process.ts'

export class FakeKernel extends FakeChildren implements Kernel {
  /** Names given by `setProcessName`, programs given to `execve`. */
  readonly log: string[] = []
  readonly #taken = new Set<Signal>()
  readonly #records: SignalRecord[] = []
  readonly #limits = new Map<string, ResourceLimit>([['NOFILE', { resource: 'NOFILE', soft: 1024, hard: 4096 }]])
  #replaced = new Set<Signal>()
  #selfPipe: { readonly read: Fd; readonly write: Fd } | null = null
  #now = 1_000_000

  // ── what a test does ─────────────────────────────────────────────────────────────────────────────────────────────

  override advance(by: number): void {
    this.#now += by
  }

  /** A signal from somebody, or from the kernel. */
  raise(signal: Signal, from: { readonly pid: number; readonly uid: number } | 'kernel' = { pid: OWN, uid: 0 }): void {
    if (!this.#taken.has(signal)) throw new Error(`${signal} would have had its default action`)
    const sender = from === 'kernel' ? { pid: 0, uid: 0 } : from
    this.#record({ signal, ...sender, fromKernel: from === 'kernel' })
  }

  /** Somebody replaces our handler, as libuv would. */
  takeAway(signal: Signal): void {
    this.#replaced.add(signal)
  }

  execve(file: string): never {
    this.log.push(`execve ${file}`)
    throw kernelError('ENOENT', 'execve', file)
  }

  exit(code: number): never {
    throw new Error(`exit ${code}`)
  }

  getpid = (): Pid => OWN
  getppid = (): Pid => pid(1)

  becomeSubreaper(): void {
    this.subreaper = true
  }

  setParentDeathSignal(signal: Signal | null): void {
    if (signal !== null) signalNumber(signal)
  }

  setProcessName(name: string): void {
    this.log.push(`name ${name}`)
  }

  withFileRights<Result>({ uid }: Rights, action: () => Result): Result {
    this.log.push(`as ${uid}`)
    return action()
  }

  getLimit(resource: string): ResourceLimit {
    const limit = this.#limits.get(resource)
    if (limit === undefined) throw kernelError('EINVAL', 'prlimit', resource)
    return limit
  }

  setLimit(limit: ResourceLimit): void {
    this.getLimit(limit.resource)
    this.#limits.set(limit.resource, limit)
  }

  openSignals(signals: readonly Signal[]): Fd {
    this.#selfPipe ??= this.pipe()
    for (const signal of signals) {
      if (signal === 'SIGKILL' || signal === 'SIGSTOP') throw kernelError('EINVAL', 'sigaction')
      this.#taken.add(signal)
    }
    return this.#selfPipe.read
  }

  watchSignals(callback: (reaped: number) => void): Watch {
    return this.watch(this.openSignals([]), 'readable', () => callback(this.sweep()))
  }

  readSignals(): SignalRecord[] {
    if (this.#selfPipe !== null) this.pipeOf(this.#selfPipe.write).bytes = 0
    return this.#records.splice(0)
  }

  markLife(): boolean {
    return false
  }

  unmarkLife(): void {}

  watchLife(): void {}

  forgetLife(): void {}

  takeDying(): Pid[] {
    return []
  }

  setWill(): void {}

  revokeWills(): null {
    return null
  }

  checkSignals(): Signal[] {
    const replaced = [...this.#replaced].filter((signal) => this.#taken.has(signal))
    this.#replaced = new Set()
    return replaced
  }

  now = (): Ms => ms(this.#now)

  protected override childEnded(child: Pid): void {
    if (this.#taken.has('SIGCHLD')) this.#record({ signal: 'SIGCHLD', pid: child, uid: 0, fromKernel: true })
  }

  #record(record: SignalRecord): void {
    this.#records.push(record)
    this.pipeOf(this.#selfPipe!.write).bytes++
    this.changed()
  }
}
