/** What the arbiter answers on its control socket (docs/control.md). All of it runs in the loop's turn. */
import { formatAddress } from '../config/address.ts'
import { flag, integer, optional, seconds, text } from '../control/keys.ts'
import { type Answer, type Asker, type Commands, command, failure } from '../control/protocol.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { isSignal } from '../kernel/signals.ts'
import { pidOf } from '../supervision/life.ts'
import type { Ms } from '../units.ts'
import { VERSION } from '../version.ts'
import type { Arbiter } from './arbiter.ts'
import { LARGEST } from './generations/policy.ts'
import type { Listeners } from './listeners/listeners.ts'
import { reloadTrouble } from './report.ts'
import type { StatusView } from './status.ts'
import type { Notice } from './surroundings.ts'
import type { Upgraded } from './upgrade/upgraded.ts'

export type CommandParts = {
  readonly kernel: Kernel
  readonly arbiter: Arbiter
  readonly listeners: Listeners
  readonly status: StatusView
  readonly started: Ms
  readonly name: string
  readonly cwd: string
  /** Where the manager's control socket stands. */
  readonly companionSocket: () => string | null
  /** The settings as they are, secrets hidden. */
  readonly config: () => object
  /** Reads the settings and begins a generation; the lines that say why not. */
  readonly reload: () => Promise<readonly string[] | null>
  /** Replaces monoceros by the version that is installed; comes back only with a line that says why not. */
  readonly upgrade: () => Promise<string>
  /** How this image of the process came to be: null for the first one. */
  readonly upgraded: Upgraded | null
  /** The next notice that this accepts. */
  readonly notice: (accepts: (notice: Notice) => boolean, gone: AbortSignal) => Promise<Notice | null>
}

/** A day: nobody waits longer. */
const LONGEST_WAIT = 86_400

export function arbiterCommands(parts: CommandParts): Commands {
  const { arbiter, kernel } = parts
  const version = (): Answer => ({
    ok: true,
    role: 'arbiter',
    pid: process.pid,
    version: VERSION,
    node: process.version,
    name: parts.name,
    cwd: parts.cwd,
    companion_socket: parts.companionSocket(),
    ...(parts.upgraded !== null && { upgraded: parts.upgraded }),
  })
  return {
    version: command({}, version),
    status: command({}, () => {
      const now = kernel.now()
      const { mode, generation, size } = arbiter.pool
      const uptime = (now - parts.started) / 1000
      return {
        ...version(),
        ok: true,
        uptime,
        mode,
        generation,
        size,
        molds: parts.status.molds,
        workers: parts.status.all(arbiter.pool, now),
      }
    }),
    listeners: command({}, () => ({
      ok: true,
      listeners: parts.listeners.all().map(({ address }) => ({ address: formatAddress(address) })),
    })),
    config: command({}, () => ({ ok: true, config: parts.config() })),
    reload: command({}, (_, asker) => reload(parts, asker)),
    upgrade: command({}, async () => failure(`${await parts.upgrade()}; nothing has changed`)),
    scale: command({ to: text('a number of workers such as 4, +1 or -1') }, ({ to }) => scale(arbiter, to)),
    kill: command({ slot: integer(0, 100_000), signal: optional(text('a signal such as TERM')) }, (values) =>
      kill(parts, values.slot, values.signal ?? 'KILL'),
    ),
    stop: command({ quick: optional(flag) }, ({ quick }) => {
      arbiter.stop(quick ? 'quick' : 'graceful')
      return { ok: true, message: 'stopping' }
    }),
    wait: command({ timeout: optional(seconds(LONGEST_WAIT)) }, ({ timeout }, asker) => wait(parts, timeout, asker)),
  }
}

/**
 * Answers when the new generation serves, or has failed. One that a newer reload takes the place of is no end: the newer
 * one's is. Waits from before the beginning, since a reload may fail in the turn in which it begins.
 */
async function reload({ reload: begin, arbiter, notice }: CommandParts, { gone }: Asker): Promise<Answer> {
  const before = arbiter.pool.latest
  const refused = new AbortController()
  const isEnd = (one: Notice): boolean =>
    (one.kind === 'reloaded' || (one.kind === 'reloadFailed' && one.trouble.kind !== 'superseded')) &&
    one.generation > before
  const ended = notice(isEnd, AbortSignal.any([gone, refused.signal]))
  const problems = await begin()
  if (problems !== null) {
    refused.abort()
    return { ...failure(problems.join('; ')), kept_old_config: true }
  }
  const end = await ended
  if (end?.kind === 'reloaded') return { ok: true, message: `generation ${end.generation} serves` }
  const why = end?.kind === 'reloadFailed' ? reloadTrouble(end.trouble) : 'monoceros stopped'
  return { ...failure(`reload failed: ${why}`), kept_old_config: true }
}

function scale(arbiter: Arbiter, to: string): Answer {
  if (!/^[+-]?\d{1,4}$/.test(to)) return failure(`"to" must be a number of workers such as 4, +1 or -1`)
  const relative = to.startsWith('+') || to.startsWith('-')
  // A change stops at the last worker, as TTOU does; a number is meant as it is said, or mistyped.
  if (!relative && (Number(to) < 1 || Number(to) > LARGEST))
    return failure(
      `"to" is ${Number(to)}; allowed: a number of workers from 1 to ${LARGEST}, or a change such as +1 or -1`,
    )
  const { size } = arbiter.apply(relative ? { kind: 'scaleBy', by: Number(to) } : { kind: 'scale', to: Number(to) })
  return { ok: true, message: `${size} ${size === 1 ? 'worker' : 'workers'}`, workers: size }
}

function kill({ arbiter, kernel }: CommandParts, slot: number, name: string): Answer {
  const signal = name.startsWith('SIG') ? name : `SIG${name}`
  if (!isSignal(signal)) return failure(`"signal" must be the name of a signal, not ${JSON.stringify(name)}`)
  const member = arbiter.pool.members.find(({ key, role }) => key.slot === slot && role === 'holder')
  const pid = member ? pidOf(member.life) : null
  if (pid === null) return failure(`no worker runs in slot ${slot}`)
  kernel.kill(pid, signal)
  return { ok: true, message: `${signal} sent to worker ${slot} (pid ${pid})`, pid }
}

/** Answers when every slot has a worker that is good. */
async function wait({ arbiter, notice }: CommandParts, timeout: number | undefined, { gone }: Asker): Promise<Answer> {
  const isReady = (): boolean => {
    const { mode, size, members, reload: running } = arbiter.pool
    const up = members.filter(({ role, life }) => role === 'holder' && life.phase.kind === 'up')
    return mode === 'running' && running === null && up.length === size
  }
  if (isReady()) return { ok: true, message: 'all workers run' }
  const signals = timeout === undefined ? [gone] : [gone, AbortSignal.timeout(timeout * 1000)]
  const end = await notice((one) => one.kind === 'emptied' || isReady(), AbortSignal.any(signals))
  if (end === null) return failure(`not all workers run after ${timeout} s`)
  return isReady() ? { ok: true, message: 'all workers run' } : failure('monoceros stopped')
}
