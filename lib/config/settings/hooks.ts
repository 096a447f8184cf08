/** Settings: functions of the config file that are called when something happens. Pure. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SecureContext, TlsOptions } from 'node:tls'
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

/** The settings of TLS, as `sslContext` is given them; paths are absolute. */
export type HookTls = {
  /** The certificate chain (PEM). */
  readonly certfile: string
  /** Its private key (PEM); null: it stands in `certfile`. */
  readonly keyfile: string | null
  /** By what client certificates are judged (PEM); null: Node's own list. */
  readonly caCerts: string | null
  /** Whether clients are asked for a certificate, and whether one is needed. */
  readonly certReqs: 'none' | 'optional' | 'required'
  /** OpenSSL's format; null: Node's. */
  readonly ciphers: string | null
  readonly tlsMinVersion: 'TLSv1.2' | 'TLSv1.3'
}

/** The hooks that run where requests are served, and not in the process that calls all others. */
export type WorkerHookFunctions = {
  readonly preRequest?: (worker: HookWorker, request: IncomingMessage) => unknown
  readonly postRequest?: (worker: HookWorker, request: IncomingMessage, response: ServerResponse) => unknown
  /** Gives a context, or options over those that are made of the settings; nothing: they are right as they are. */
  readonly sslContext?: (
    config: HookTls,
    defaultContextFactory: () => SecureContext,
  ) => MaybePromise<SecureContext | TlsOptions | null | undefined>
}

type MaybePromise<Value> = Value | PromiseLike<Value>

export type WorkerHookName = keyof WorkerHookFunctions

export type HookFunctions = WorkerHookFunctions & {
  readonly [Name in HookName]?: (...args: HookArguments<Name>) => unknown
}

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

export const WORKER_HOOKS = ['preRequest', 'postRequest', 'sslContext'] as const satisfies readonly WorkerHookName[]

type AnyHookName = HookName | WorkerHookName

const ALL: readonly AnyHookName[] = [...HOOKS, ...WORKER_HOOKS]

const ALLOWED = `functions by the names ${ALL.join(', ')}`

/** The functions themselves stay in the config file; what is known here is which of them are there. */
const hooks: Codec<readonly AnyHookName[], HookFunctions> = {
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
          if (!ALL.includes(name as AnyHookName)) return unknown(name, ALL)
          return within(name, isFunction(part) ? good(name as AnyHookName) : bad(part, 'a function'))
        }),
      ),
      (names) => good(ALL.filter((name) => names.includes(name))),
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
    worker: true,
    doc: 'Functions to call: `onStarting`, `whenReady`, `onReload` and so on, see the page on hooks. They run in a process of their own, never in the arbiter; `preRequest`, `postRequest` and `sslContext` in the workers.',
  }),
  hookTimeout: setting({
    type: duration('more than nothing'),
    default: '10s',
    effect: 'live',
    worker: true,
    doc: 'How long a hook may take; what takes longer is named in the log and not waited for.',
  }),
}
