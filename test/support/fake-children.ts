/** Children of the fake kernel. */
import { kernelError } from '../../lib/kernel/errors.ts'
import type { Exit, Kernel, Signal, SpawnError, SpawnPlan, SpawnStage } from '../../lib/kernel/kernel.ts'
import { signalNumber } from '../../lib/kernel/signals.ts'
import { type Pid, pid } from '../../lib/units.ts'
import { FakeDescriptors, OWN } from './fake-descriptors.ts'
import { isReady, type OpenFile, retain } from './fake-files.ts'
import { type FakeHost, FakeProcess, type FakeProgram, type Kinship } from './fake-process.ts'

type Children =
  | 'adopt'
  | 'isChild'
  | 'spawn'
  | 'exited'
  | 'reap'
  | 'takeExits'
  | 'reapStrangers'
  | 'kill'
  | 'killMember'
  | 'killGroup'

export abstract class FakeChildren extends FakeDescriptors implements Pick<Kernel, Children> {
  /** What runs at which path; spawning anything else is ENOENT. */
  readonly programs = new Map<string, FakeProgram>()
  /** Every process that runs or waits to be reaped. */
  readonly processes = new Map<Pid, FakeProcess>()
  protected subreaper = false
  /** Those that are reaped on sight, and what of theirs is killed before. */
  readonly #watched = new Map<Pid, SpawnPlan['leader']>()
  readonly #swept: Exit[] = []
  #nextPid = OWN + 1
  readonly #host: FakeHost = {
    ended: (process) => this.#ended(process),
    forked: (parent, program) => this.#fork(parent, program),
    changed: () => this.changed(),
  }

  /** A child of ours has ended: SIGCHLD. */
  protected abstract childEnded(child: Pid): void

  spawn(plan: SpawnPlan): Pid {
    if (!plan.file.startsWith('/')) throw spawnError('exec', 'EINVAL', plan.file)
    const targets = new Set(plan.fds.map(({ to }) => to))
    if (![0, 1, 2].every((number) => targets.has(number)) || targets.size < plan.fds.length)
      throw spawnError('fds', 'EINVAL', plan.file)
    if (plan.fds.some(({ from }) => !this.files.has(from))) throw spawnError('fds', 'EBADF', plan.file)
    const program = this.programs.get(plan.file)
    if (program === undefined) throw spawnError('exec', 'ENOENT', plan.file)
    const files = new Map(plan.fds.map(({ from, to }) => [to, retain(this.files.get(from)!)]))
    const { pid } = this.#begin(OWN, plan, files, program, { group: OWN, session: OWN })
    this.#watched.set(pid, plan.leader)
    return pid
  }

  adopt(child: Pid): void {
    this.#watched.set(child, 'group')
  }

  isChild(process: Pid): boolean {
    return this.#child(process) !== undefined
  }

  exited(children: readonly Pid[]): Pid[] {
    return children.filter((child) => this.#child(child)?.exit)
  }

  reap(children: readonly Pid[]): Exit[] {
    return this.exited(children).map((child) => {
      const { exit } = this.processes.get(child)!
      this.processes.delete(child)
      this.#watched.delete(child)
      return exit!
    })
  }

  takeExits(): Exit[] {
    return this.#swept.splice(0)
  }

  reapStrangers(except: readonly Pid[]): { readonly exits: Exit[]; readonly blocked: boolean } {
    const exits: Exit[] = []
    for (const { pid: one, parent, exit } of [...this.processes.values()]) {
      if (parent !== OWN || exit === null) continue
      if (except.includes(one)) return { exits, blocked: true }
      exits.push(...this.reap([one]))
    }
    return { exits, blocked: false }
  }

  kill(child: Pid, signal: Signal): boolean {
    if (child <= 1) throw kernelError('EINVAL', 'kill', String(child))
    signalNumber(signal)
    const process = this.#child(child)
    process?.takes(signal)
    return process !== undefined
  }

  killMember(session: Pid, member: Pid, signal: Signal): boolean {
    const process = this.processes.get(member)
    if (process?.session !== session) return false
    process.takes(signal)
    return true
  }

  killGroup(group: Pid, signal: Signal): boolean {
    if (group <= 1) throw kernelError('EINVAL', 'kill', String(group))
    const members = [...this.processes.values()].filter((process) => process.group === group)
    for (const member of members) member.takes(signal)
    return members.length > 0
  }

  /** Reaps on sight; says how many exits wait to be taken. */
  protected sweep(): number {
    for (const [child, leader] of [...this.#watched]) {
      if (leader === 'session' || this.exited([child]).length === 0) continue
      if (leader === 'group') this.killGroup(child, 'SIGKILL')
      this.#swept.push(...this.reap([child]))
    }
    return this.#swept.length
  }

  protected override pass(): boolean {
    let called = super.pass()
    for (const process of [...this.processes.values()]) {
      for (const [number, hear] of [...process.hears]) {
        const file = process.files.get(number)
        if (file === undefined || !isReady(file, 'readable')) continue
        called = true
        hear()
      }
    }
    return called
  }

  #begin(parent: Pid, plan: SpawnPlan, files: Map<number, OpenFile>, program: FakeProgram, kin: Kinship): FakeProcess {
    const process = new FakeProcess(this.#host, parent, pid(this.#nextPid++), plan, files, kin)
    this.processes.set(process.pid, process)
    setImmediate(() => process.exit === null && program(process))
    return process
  }

  #fork(parent: FakeProcess, program: FakeProgram): FakeProcess {
    const { leader: _, ...plan } = parent.plan
    const files = new Map([...parent.files].map(([number, file]) => [number, retain(file)]))
    return this.#begin(parent.pid, plan, files, program, parent)
  }

  /** Orphans become ours if we are their subreaper; else process 1 reaps them, which is to say that they vanish. */
  #ended(process: FakeProcess): void {
    for (const child of this.processes.values()) {
      if (child.parent === process.pid) child.parent = this.subreaper ? OWN : pid(1)
    }
    if (process.parent === OWN) this.childEnded(process.pid)
    if (process.parent === 1) this.processes.delete(process.pid)
    this.changed()
  }

  #child(child: Pid): FakeProcess | undefined {
    const process = this.processes.get(child)
    return process?.parent === OWN ? process : undefined
  }
}

function spawnError(stage: SpawnStage, code: 'EINVAL' | 'EBADF' | 'ENOENT', path: string): SpawnError {
  return Object.assign(kernelError(code, 'spawn', path), { stage })
}
