/** The commands of the manager's control socket (docs/control.md). Each runs in the loop's turn. */
import { constants } from 'node:os'
import { flag, integer, oneOf, optional, seconds, text } from '../control/keys.ts'
import { isExact, matchNames } from '../control/names.ts'
import { type Answer, type Commands, command, failure, type Success } from '../control/protocol.ts'
import type { Signal } from '../kernel/kernel.ts'
import { inStartOrder, inStopOrder } from '../supervision/companions/draft.ts'
import { type CompanionStatus, status } from '../supervision/companions/status.ts'
import type { Companion } from '../supervision/companions.ts'
import { STATE_WORDS, stateWord } from '../supervision/describe.ts'
import { type Ms, ms } from '../units.ts'
import type { Children } from './children.ts'
import type { Manager } from './manager.ts'
import { explain } from './obituary.ts'
import { Follower, LARGEST_TAIL, packed } from './tail.ts'
import type { Waiting } from './waiting.ts'

export type Servant = {
  readonly manager: Manager
  readonly children: Children
  readonly waiting: Waiting
  /** What `version` answers, beside `role`. */
  readonly about: () => Readonly<Record<string, unknown>>
  /** Has the configuration loaded again. */
  readonly reread: () => Promise<Answer>
}

const NAME = text('the name of a companion, a glob such as "worker:*", or "all"')
/** A day: as long as anybody may wait for a state, in seconds. */
const LONGEST_WAIT = 86_400
const DEFAULT_WAIT = 60
const MOST_NAMED = 8
const DEFAULT_TAIL = 4096
/** How much of a followed log goes into one line of the answer, and how often it is looked at, in milliseconds. */
const FOLLOWED_AT_ONCE = 32_768
const FOLLOW_EVERY = 200

export function managerCommands(servant: Servant): Commands {
  const { manager, children, waiting } = servant
  const names = (): string[] => manager.companions.members.map(({ spec }) => spec.name)

  /** Does something to each companion that a name means, and answers for all of them. */
  const each = (wanted: string, order: Order, act: (name: string) => Answer): Answer => {
    const found = matchNames(wanted, names())
    if (found.length === 0) return unknownName(wanted, names())
    if (isExact(wanted, names())) return act(wanted)
    const ordered = order(manager.companions.members).map(({ spec }) => spec.name)
    return joined(ordered.filter((name) => found.includes(name)).map((name) => ({ name, ...act(name) })))
  }
  const control = (kind: 'start' | 'stop' | 'restart', order: Order) =>
    command({ name: NAME }, ({ name }) => each(name, order, (one) => manager.order({ kind, name: one })))
  const rows = (): readonly CompanionStatus[] => status(manager.companions, manager.now, Date.now())

  return {
    status: command({ name: optional(NAME) }, ({ name }) => {
      if (name === undefined) return { ok: true, companions: rows() }
      const found = matchNames(name, names())
      if (found.length === 0) return unknownName(name, names())
      return { ok: true, companions: rows().filter((row) => found.includes(row.name)) }
    }),
    start: control('start', inStartOrder),
    stop: control('stop', inStopOrder),
    restart: control('restart', inStartOrder),
    reread: command({}, () => servant.reread()),
    signal: command({ name: NAME, signal: text('the name of a signal, such as HUP') }, ({ name, signal }) => {
      const named = signalNamed(signal)
      if (named === null)
        return failure(`"signal" must be the name of a signal, such as HUP, not ${JSON.stringify(signal)}`)
      return each(name, inStartOrder, (one) => sendSignal(children, one, named))
    }),
    tail: command(
      {
        name: text('the name of one companion'),
        stream: optional(oneOf('stdout', 'stderr')),
        bytes: optional(integer(0, LARGEST_TAIL)),
        follow: optional(flag),
      },
      async ({ name, stream = 'stdout', bytes = DEFAULT_TAIL, follow = false }, asker) => {
        const log = logOf(manager, name, stream)
        if (typeof log !== 'string') return log
        const follower = new Follower(log, bytes)
        const line = (): Success => ({ ok: true, name, stream, path: log, ...packed(follower.read(LARGEST_TAIL)) })
        try {
          if (!follow) return line()
          await asker.send({ ...line(), more: true })
          while (!asker.gone.aborted) {
            const data = follower.read(FOLLOWED_AT_ONCE)
            if (data.length > 0) await asker.send({ ok: true, more: true, name, stream, ...packed(data) })
            else await pause(FOLLOW_EVERY)
          }
          return { ok: true, name, stream, data: '', encoding: 'utf8' }
        } finally {
          follower.close()
        }
      },
    ),
    wait: command(
      { name: NAME, state: oneOf(...STATE_WORDS), timeout: optional(seconds(LONGEST_WAIT)) },
      (asked, asker) => {
        const { name, state, timeout = DEFAULT_WAIT } = asked
        const look = (): Answer | null => {
          const found = matchNames(name, names())
          if (found.length === 0) return unknownName(name, names())
          const others = members(manager, found).filter(({ life }) => stateWord(life) !== state)
          return others.length > 0 ? null : { ok: true, message: `${briefly(found)} ${state}` }
        }
        const tooLate = (): Answer => {
          const found = members(manager, matchNames(name, names()))
          const missing = found.filter(({ life }) => stateWord(life) !== state)
          const states = briefly(missing.map(({ spec, life }) => `${spec.name} is ${stateWord(life)}`))
          return failure(`${states}: not ${state} after ${timeout} s`)
        }
        return look() ?? waiting.wait(look, after(manager.now, timeout), tooLate, asker.gone)
      },
    ),
    why: command({ name: text('the name of one companion') }, ({ name }) => {
      const [member] = members(manager, [name])
      if (member === undefined) return unknownName(name, names())
      return explain(member, manager.obituary(name), manager.now)
    }),
    version: command({}, () => ({ ok: true, role: 'manager', ...servant.about() })),
  }
}

type Order = (members: readonly Companion[]) => readonly Companion[]

const members = (manager: Manager, names: readonly string[]): Companion[] =>
  manager.companions.members.filter(({ spec }) => names.includes(spec.name))

const unknownName = (wanted: string, names: readonly string[]): Answer =>
  failure(
    names.length === 0
      ? `no companion is named ${JSON.stringify(wanted)}: there are none`
      : `no companion is named ${JSON.stringify(wanted)}: there are ${names.join(', ')}`,
  )

/** One answer for several companions: refused where one of them was. */
function joined(results: readonly (Answer & { readonly name: string })[]): Answer {
  const refused = results.filter((one) => !one.ok)
  if (refused.length === 0) return { ok: true, results }
  const errors = refused.map((one) => (one.ok ? '' : one.error)).join('; ')
  return { ok: false, error: `${refused.length} of ${results.length} refused: ${errors}`, results }
}

/** `HUP` and `SIGHUP`, in any case; never a number, which means another signal on another machine. */
function signalNamed(given: string): Signal | null {
  const name = given.toUpperCase().replace(/^(SIG)?/, 'SIG')
  return Object.hasOwn(constants.signals, name) ? (name as Signal) : null
}

function sendSignal(children: Children, name: string, signal: Signal): Answer {
  const child = children.named(name)
  if (child === undefined) return failure(`${name} is not running`)
  children.pass(child, signal)
  return { ok: true, message: `${name} sent ${signal}` }
}

function logOf(manager: Manager, name: string, stream: 'stdout' | 'stderr'): string | Answer {
  const config = manager.config(name)
  if (config === undefined)
    return unknownName(
      name,
      manager.companions.members.map(({ spec }) => spec.name),
    )
  const output = config[stream].kind === 'stdout' ? config.stdout : config[stream]
  if (output.kind === 'file') return output.path
  return failure(`${name} writes its ${stream} to monoceros's own output, not to a file: set "${stream}" to a path`)
}

/** A few names, or the first ones and how many more. */
const briefly = (names: readonly string[]): string =>
  names.length > MOST_NAMED
    ? `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`
    : names.join(', ')

const after = (now: Ms, seconds: number): Ms => ms(now + seconds * 1000)

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
