import { join } from 'node:path'
import bindings from 'bindings'
import type { Fd, Pid } from '../units.ts'
import type { Image } from './image.ts'
import type { Kernel, Rights, SpawnPlan, Watch } from './kernel.ts'
import type { MoldKernel } from './mold-kernel.ts'
import { overRows, type Rows } from './rows.ts'
import { signalName, signalNumber } from './signals.ts'

/** The kernel of this process. Loads the addon at the first call; throws where it was neither shipped nor built. */
export function loadKernel(): Kernel {
  loaded ??= over(load())
  return loaded
}

/** The kernel of a mold, from the same addon. */
export function loadMoldKernel(): MoldKernel {
  const addon = load() as unknown as Omit<MoldKernel, 'becomeLeader'> & { becomeLeader(session: boolean): void }
  return { ...addon, becomeLeader: (of) => addon.becomeLeader(of === 'session') }
}

/** What the arbiter needs to replace itself, from the same addon. */
export function loadImage(): Image {
  const addon = load() as unknown as Omit<Image, 'replace'> & {
    replace(file: string, argv: readonly string[], env: readonly string[], keep: readonly Fd[]): never
  }
  return { ...addon, replace: (file, argv, env, keep) => addon.replace(file, argv, entries(env), keep) }
}

let loaded: Kernel | undefined

/** The addon has numbers for signals, `KEY=value` for environments and rows for what is many; all else is as in Kernel. */
type Translated = {
  spawn(plan: object): Pid
  kill(child: Pid, signal: number): boolean
  killMember(session: Pid, member: Pid, signal: number): boolean
  killGroup(group: Pid, signal: number): boolean
  execve(file: string, argv: readonly string[], env: readonly string[], keep: readonly Fd[]): never
  setParentDeathSignal(signal: number): void
  openSignals(signals: readonly number[]): Fd
  checkSignals(): number[]
  /** What they were before. */
  setFileRights(uid: number, gid: number, groups: readonly number[]): Rights
}
type Addon = Omit<
  Kernel,
  keyof Translated | keyof ReturnType<typeof overRows> | 'watch' | 'setProcessName' | 'withFileRights'
> &
  Translated &
  Rows & { readonly Watch: WatchConstructor }

/** With `true` at the end, children are reaped before each callback, which gets their number. */
type WatchConstructor = {
  new (fd: Fd, writable: boolean, callback: () => void): Watch
  new (fd: Fd, writable: boolean, callback: (reaped: number) => void, reaps: true): Watch
}

/** What was built here comes before what was shipped: a build is made where the shipped binary does not load. */
const load = (): Addon =>
  bindings({
    bindings: 'monoceros',
    module_root: join(__dirname, '..', '..'),
    try: [
      ['module_root', 'build', 'Release', 'bindings'],
      ['module_root', 'prebuilds', `${process.platform}-${process.arch}`, 'bindings'],
    ],
  }) as Addon

const over = (addon: Addon): Kernel => ({
  ...addon,
  ...overRows(addon),
  spawn: (plan) => addon.spawn(numbered(plan)),
  kill: (child, signal) => addon.kill(child, signalNumber(signal)),
  killMember: (session, member, signal) => addon.killMember(session, member, signalNumber(signal)),
  killGroup: (group, signal) => addon.killGroup(group, signalNumber(signal)),
  execve: (file, argv, env, keep) => addon.execve(file, argv, entries(env), keep),
  setParentDeathSignal: (signal) => addon.setParentDeathSignal(signal === null ? 0 : signalNumber(signal)),
  // libuv's setter does both: PR_SET_NAME, and the command line as far as argv was long.
  setProcessName(name) {
    process.title = name
  },
  withFileRights({ uid, gid, groups }, action) {
    const before = addon.setFileRights(uid, gid, groups)
    try {
      return action()
    } finally {
      addon.setFileRights(before.uid, before.gid, before.groups)
    }
  },
  openSignals: (signals) => addon.openSignals(signals.map(signalNumber)),
  checkSignals: () => addon.checkSignals().map(signalName),
  watchSignals: (callback) => new addon.Watch(addon.openSignals([]), false, callback, true),
  watch: (fd, on, callback) => new addon.Watch(fd, on === 'writable', callback),
})

const LEADER = { group: 1, session: 2 } as const

const numbered = (plan: SpawnPlan): object => ({
  ...plan,
  env: entries(plan.env),
  leader: plan.leader === undefined ? 0 : LEADER[plan.leader],
  parentDeathSignal: plan.parentDeathSignal === undefined ? 0 : signalNumber(plan.parentDeathSignal),
})

const entries = (env: Readonly<Record<string, string>>): string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`)
