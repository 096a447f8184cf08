/**
 * What a mold and whoever keeps it (the arbiter for workers, the manager for companions) say to each other, on a channel
 * like the workers'. The first message is the keeper's `go`. Pure, but for the version of the protocol.
 */
import { isCount, isOneOf, isText, type Shapes } from './decode.ts'
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
}

/** Keeper to mold. */
export type ToMold =
  | MoldGo
  /** Fork. Descriptors: the child's channel, then its 0, 1 and 2. */
  | { readonly kind: 'fork'; readonly request: number }

/** Mold to keeper. */
export type FromMold =
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
    }
  | { readonly kind: 'log'; readonly level: 'info' | 'warning'; readonly text: string }

export const TO_MOLD = {
  go: {
    protocol: isCount,
    keeper: isCount,
    patience: isCount,
    open: isOneOf('refuse', 'warn'),
    leader: isOneOf('group', 'session'),
  },
  fork: { request: isCount },
} satisfies Shapes<ToMold>

export const FROM_MOLD = {
  quiet: {},
  forked: { request: isCount, pid: isCount },
  forkFailed: { request: isCount, text: isText },
  failed: { fault: isText, text: isText },
  log: { level: isOneOf('info', 'warning'), text: isText },
} satisfies Shapes<FromMold>
