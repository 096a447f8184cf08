/**
 * What a mold and whoever keeps it (the arbiter for workers, the manager for companions) say to each other, on a channel
 * like the workers'. The first message is the keeper's `go`. Pure, but for the version of the protocol.
 */

import type { ListenerAddress } from '../kernel/kernel.ts'
import { isAddress, isCount, isFlag, isList, isOneOf, isRecord, isText, maybe, type Shapes } from './decode.ts'
import type { AppFault } from './messages.ts'

export const MOLD_PROTOCOL = 1

export type MoldGo = {
  readonly kind: 'go'
  readonly protocol: number
  /** The keeper's pid: a mold whose parent is another process exits. */
  readonly keeper: number
  /** How long what is open after loading may take to close, in milliseconds. */
  readonly patience: number
  /** What becomes of something that stays open: an error that names it, or a warning. */
  readonly open: 'refuse' | 'warn'
  /** What the forked process leads. */
  readonly leader: 'group' | 'session'
  /** Its children may become molds (`reforkAfter`). */
  readonly promotes?: boolean
  /** Each child opens Node's inspector (`inspect`). */
  readonly inspect?: boolean
  /** The config file, where it has hooks that run in workers: loaded before the app. */
  readonly hooksFile?: string
  /** The app is to see itself as a cluster's worker. */
  readonly clusterWorker?: boolean
  /** Where HTTP servers of its children are led; none without `bind`. */
  readonly listeners?: readonly ListenerAddress[]
  /** What the companions' mold loads; the app's mold was told on its command line. */
  readonly modules?: readonly TargetModule[]
}

/** The module of a `target` companion, and the directory in which it is looked for and loaded. */
export type TargetModule = { readonly module: string; readonly cwd: string }

/** Keeper to mold. */
export type ToMold =
  | MoldGo
  /** Fork. Descriptors: the child's channel, then its 0, 1 and 2. */
  | { readonly kind: 'fork'; readonly request: number }
  /** Its own 1 and 2 are these from now on, where it forks already, or as soon as it does. Nothing answers. */
  | { readonly kind: 'reopen' }

/** Mold to keeper. */
export type FromMold =
  /** The companions' mold: it begins with the module of that place in `modules`. */
  | { readonly kind: 'loading'; readonly at: number }
  /** The same, before `quiet`: what its children must be judged by. */
  | ({ readonly kind: 'loaded' } & Loaded)
  /** Loaded and quiet: from now on it forks. */
  | { readonly kind: 'quiet' }
  /** Said after the child was adopted. */
  | { readonly kind: 'forked'; readonly request: number; readonly pid: number }
  | { readonly kind: 'forkFailed'; readonly request: number; readonly text: string }
  /** It cannot be a mold: the app failed, something stays open, this Node lacks something. */
  | {
      readonly kind: 'failed'
      readonly fault: AppFault | 'notQuiet' | 'cannotFork'
      readonly text: string
      readonly stack?: string
      /** Whose fault it is, as a place in `modules`, where that is known. */
      readonly at?: number
    }
  | { readonly kind: 'log'; readonly level: 'info' | 'warning'; readonly text: string }

export type Loaded = {
  /** Modules that could not be loaded, by their place in `modules`; `text` is one line. */
  readonly broken: readonly { readonly at: number; readonly text: string }[]
  /** Modules of which it is not known what they would have left in a process of their own; as `broken`. */
  readonly alone: readonly { readonly at: number; readonly text: string }[]
  /** Variables of the environment that were asked for meanwhile. */
  readonly variables: readonly string[]
  /** All of them were. */
  readonly all: boolean
}

const isModule = (value: unknown): boolean => isRecord(value) && isText(value.module) && isText(value.cwd)
const isBroken = (value: unknown): boolean => isRecord(value) && isCount(value.at) && isText(value.text)

export const TO_MOLD = {
  go: {
    protocol: isCount,
    keeper: isCount,
    patience: isCount,
    open: isOneOf('refuse', 'warn'),
    leader: isOneOf('group', 'session'),
    promotes: maybe(isFlag),
    inspect: maybe(isFlag),
    hooksFile: maybe(isText),
    clusterWorker: maybe(isFlag),
    listeners: maybe(isList(isAddress)),
    modules: maybe(isList(isModule)),
  },
  fork: { request: isCount },
  reopen: {},
} satisfies Shapes<ToMold>

export const FROM_MOLD = {
  loading: { at: isCount },
  loaded: { broken: isList(isBroken), alone: isList(isBroken), variables: isList(isText), all: isFlag },
  quiet: {},
  forked: { request: isCount, pid: isCount },
  forkFailed: { request: isCount, text: isText },
  failed: { fault: isText, text: isText, at: maybe(isCount) },
  log: { level: isOneOf('info', 'warning'), text: isText },
} satisfies Shapes<FromMold>
