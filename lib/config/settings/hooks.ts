/** Settings: functions of the config file that are called when something happens. Pure. */
import { andThen, bad, type Codec, good, isRecord, together, unknown, within } from '../codec.ts'
import { duration } from '../codecs/numbers.ts'
import { isFunction } from '../foreign.ts'
import { setting } from '../setting.ts'

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
  'preRequest',
  'postRequest',
  'childExit',
  'workerExit',
  'nworkersChanged',
  'onExit',
] as const

export type HookName = (typeof HOOKS)[number]
// biome-ignore lint/suspicious/noExplicitAny: each hook has arguments of its own
export type HookFunctions = { readonly [Name in HookName]?: (...args: any[]) => unknown }

const ALLOWED = `functions by the names ${HOOKS.join(', ')}`

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
