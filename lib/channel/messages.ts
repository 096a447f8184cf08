/**
 * What arbiter and worker say to each other. One message is one datagram of JSON on a SOCK_SEQPACKET socket; the
 * descriptors that belong to it travel beside it (SCM_RIGHTS) in the order that the message's comment gives.
 *
 * The first message is the arbiter's `go` (but for `stay` before it); the worker says nothing before it. Both sides refuse another
 * `protocol` than their own.
 */
import type { WorkerSettings } from '../config/settings.ts'
import type { ListenerAddress } from '../kernel/kernel.ts'

export const PROTOCOL = 2

/** Environment variable that names the channel's descriptor in a worker; the worker removes it before the app runs. */
export const CHANNEL_VARIABLE = 'MONOCEROS_CHANNEL'

/** Descriptors: the heartbeat memory, the alarm of the stuck-stack watcher, then one for each of `listeners`. */
export type Go = {
  readonly kind: 'go'
  readonly protocol: number
  /** Of monoceros, for the log. */
  readonly version: string
  /** The arbiter's pid: a worker whose parent is another process exits. */
  readonly arbiter: number
  readonly slot: number
  readonly generation: number
  /** The worker's row in the heartbeat memory (`lib/channel/heartbeat.ts`). */
  readonly cell: number
  /** Opened from `bind`; empty where the app says itself what it listens on. */
  readonly listeners: readonly ListenerAddress[]
  /** None, and neither memory nor alarm, after `stay`. */
  readonly settings?: WorkerSettings
  /** Take no connection from a shared listener before `accept`: others serve until this worker is good. */
  readonly waits: boolean
  /** After how many milliseconds of being ready `lasted` is said (`startsecs`). */
  readonly lasts: number
  /** The key of TLS session tickets that all workers share: 48 bytes in base64. None from an arbiter that has none yet. */
  readonly tickets?: string
}

/**
 * Before `go`, to a process that was forked ahead: it was adopted, and waits until it is somebody. What does not depend on
 * who that will be comes here, and in `go` no more. Descriptors: the heartbeat memory, the alarm, one for each in `open`.
 */
export type Stay = Pick<Go, 'arbiter'> & {
  readonly kind: 'stay'
  readonly settings: WorkerSettings
  /** The pid of a worker of the same mold; none where there is none yet, as after an upgrade in place. */
  readonly sibling?: number
  /** Sockets that workers share: what would be the answers to `listen`. */
  readonly open: readonly OpenSocket[]
}

/** `name`: of the address that was asked for, as `formatAddress` writes it. */
export type OpenSocket = { readonly name: string; readonly address: ListenerAddress }

/** Arbiter to worker. */
export type ToWorker =
  | Go
  | Stay
  /** Answer to `listen`. One descriptor: the listening socket. */
  | { readonly kind: 'listening'; readonly id: number; readonly address: ListenerAddress }
  | { readonly kind: 'refused'; readonly id: number; readonly code: string; readonly message: string }
  /** Answer to `unlisten`. */
  | { readonly kind: 'unlistened'; readonly id: number }
  /**
   * Finish what is in flight, then leave. `within`: milliseconds until the arbiter kills. `after`: milliseconds for
   * which connections are still accepted as before (`stopDelay`); part of `within`; none without it.
   */
  | { readonly kind: 'drain'; readonly within: number; readonly stopping: boolean; readonly after?: number }
  /** Take connections from the shared listeners from now on. */
  | { readonly kind: 'accept' }
  /** Accept on the listeners of another slot as well. Descriptors: one for each address. */
  | { readonly kind: 'lend'; readonly slot: number; readonly listeners: readonly ListenerAddress[] }
  /** That slot has a worker of its own again. */
  | { readonly kind: 'return'; readonly slot: number }
  /** Ask your own server for this path until it answers with a status below 400 (`readyPath`). */
  | { readonly kind: 'probe'; readonly path: string }
  /** Another key for TLS session tickets from now on. */
  | { readonly kind: 'tickets'; readonly key: string }
  /**
   * Before `drain`: do not leave when you have drained, but become a mold, as soon as nothing is open. One descriptor: the
   * channel of the mold. `patience`: milliseconds until it must be so.
   */
  | { readonly kind: 'promote'; readonly patience: number }
  /** Leave now: connections are cut. */
  | { readonly kind: 'quit' }
  /** Descriptors: one for each name, to be placed on it. */
  | { readonly kind: 'reopen'; readonly files: readonly ('stdout' | 'stderr' | 'accesslog')[] }

/**
 * Why an app could not be served; the arbiter's exit code 4 while no generation has ever been good, but for `setting`,
 * which is no fault of the app.
 */
export type AppFault =
  | 'missing'
  | 'threw'
  | 'unusableExport'
  | 'neverListened'
  | 'exited'
  | 'clusterFork'
  | 'unsupported'
  | 'setting'

/** Worker to arbiter. */
export type ToArbiter =
  /** The worker hears its channel: from now on it is asked by message, not by TERM. */
  | { readonly kind: 'announced'; readonly pid: number }
  /** Open (or share) what the app asks to listen on. */
  | { readonly kind: 'listen'; readonly id: number; readonly address: ListenerAddress; readonly backlog: number }
  /** The app has closed what `listen` had given it; `address` as in the answer. */
  | { readonly kind: 'unlisten'; readonly id: number; readonly address: ListenerAddress }
  /** Accepting connections, and `process.send('ready')` was called where `waitReady` asks for it. */
  | { readonly kind: 'ready'; readonly address: readonly ListenerAddress[] }
  /** It has run for `lasts` since it was ready, on its own clock: what was due before that has happened. */
  | { readonly kind: 'lasted' }
  /** Outcome of a `probe`. More may come until one has passed. */
  | { readonly kind: 'probed'; readonly passed: boolean; readonly text: string }
  /** `text` is one line; `stack` is the app's own, printed once. */
  | { readonly kind: 'failed'; readonly fault: AppFault; readonly text: string; readonly stack?: string }
  /** Wants to be replaced and then drained (`maxRequests`, `maxMemory`). */
  | { readonly kind: 'retire'; readonly reason: string }
  /**
   * Absolute paths of what the app has loaded, or has looked for in vain; only with `reload`. `since`: milliseconds of the
   * epoch, before any of them was read.
   */
  | { readonly kind: 'loaded'; readonly files: readonly string[]; readonly since: number }
  /** Progress of a drain, for the log: connections without and with a request in flight. */
  | { readonly kind: 'draining'; readonly idle: number; readonly active: number }
  /** One line for the log. The arbiter adds who said it. */
  | { readonly kind: 'log'; readonly level: 'info' | 'warning'; readonly text: string }
