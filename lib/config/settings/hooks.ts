/** Settings: functions of the config file that are called when something happens. Pure. */
import { andThen, bad, type Codec, good, isRecord, together, unknown, within } from '../codec.ts'
import { duration } from '../codecs/numbers.ts'
import { isFunction } from '../foreign.ts'
import { setting } from '../setting.ts'

/** The arbiter as hooks see it: its pid, the generation that serves, how many workers there are to be. */
export type HookServer = { readonly pid: number; readonly generation: number; readonly workers: number }
/** A worker; `pid` is null before there is a process. */
export type HookWorker = { readonly slot: number; readonly generation: number; readonly pid: number | null }
/** How a process ended: exactly one of the two is not null. */
export type HookExit = { readonly code: number | null; readonly signal: string | null }

type Arguments = {
  onStarting: [server: HookServer]
  whenReady: [server: HookServer]
  onReload: [server: HookServer]
  preFork: [server: HookServer, worker: HookWorker]
  postFork: [server: HookServer, worker: HookWorker]
  postWorkerInit: [worker: HookWorker]
  workerInt: [worker: HookWorker]
  workerAbort: [worker: HookWorker]
  preExec: [server: HookServer]
  childExit: [server: HookServer, worker: HookWorker, exit: HookExit]
  workerExit: [server: HookServer, worker: HookWorker, exit: HookExit]
  nworkersChanged: [server: HookServer, now: number, before: number]
  onExit: [server: HookServer]
}

export type HookName = keyof Arguments
export type HookArguments<Name extends HookName> = Arguments[Name]
export type HookFunctions = { readonly [Name in HookName]?: (...args: HookArguments<Name>) => unknown }

/** gunicorn's server hooks, in the order of a life. */
export const HOOKS = [
  'onStarting',
  'whenReady',
  'onReload',
  'preFork',
  'postFork',
  'postWorkerInit',
  'workerInt',
  'workerAbort',
  'preExec',
  'childExit',
  'workerExit',
  'nworkersChanged',
  'onExit',
] as const satisfies readonly HookName[]

const ALLOWED = `functions by the names ${HOOKS.join(', ')}`

const REQUESTS = 'none: hooks run in another process, which would cost each request a message; let the app do it'
const UNOFFERED: Readonly<Record<string, string>> = {
  preRequest: REQUESTS,
  postRequest: REQUESTS,
  sslContext: 'none: the app makes its own https.Server, or see certfile',
}

/** The functions themselves stay in the config file; what is known here is which of them are there. */
const hooks: Codec<readonly HookName[], HookFunctions> = {
  allowed: ALLOWED,
  placeholder: 'HOOKS',
  type: '{ [hook]: function }',
  parse: (text) => text,
  check: (value) => {
    if (!isRecord(value)) return bad(value, ALLOWED)
    const entries = Object.entries(value).filter(([, part]) => part !== undefined)
    return andThen(
      together(
        entries.map(([name, part]) => {
          const why = Object.hasOwn(UNOFFERED, name) ? UNOFFERED[name] : undefined
          if (why !== undefined) return within(name, bad(part, why))
          if (!HOOKS.includes(name as HookName)) return unknown(name, HOOKS)
          return within(name, isFunction(part) ? good(name as HookName) : bad(part, 'a function'))
        }),
      ),
      (names) => good(HOOKS.filter((name) => names.includes(name))),
    )
  },
  format: (value) => Object.fromEntries(value.map((name) => [name, () => undefined])),
  hide: (value) => Object.fromEntries(value.map((name) => [name, '(function)'])),
}

export const HOOK_SETTINGS = {
  hooks: setting({
    flags: [],
    type: hooks,
    default: {},
    effect: 'live',
    doc: 'Functions to call: `onStarting`, `whenReady`, `onReload` and so on, see the page on hooks. They run in a process of their own, never in the arbiter.',
  }),
  hookTimeout: setting({
    type: duration('more than nothing'),
    default: '10s',
    effect: 'live',
    doc: 'How long a hook may take; what takes longer is named in the log and not waited for.',
  }),
}
