/** What the manager and a `target` companion say to each other, on a channel like the workers' (`channel.ts`). Pure. */
import { isCount, isList, isOneOf, isText, type Shapes } from './decode.ts'

/** The first message to a forked companion; an exec'd one was told by other means. One descriptor: a blob of `TargetOrder`. */
export type TargetGo = {
  readonly kind: 'go'
  /** The manager's pid: a companion whose parent is another process exits. */
  readonly manager: number
}

/** What a forked companion is to be. */
export type TargetOrder = {
  readonly name: string
  readonly module: string
  readonly export: string
  readonly cwd: string
  readonly umask: number | null
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
}

/** Manager to companion. */
export type ToTarget =
  | TargetGo
  /** Descriptors: one for each name, to be placed on it. */
  | { readonly kind: 'reopen'; readonly files: readonly ('stdout' | 'stderr')[] }

/** Companion to manager: why it ends, in one line, for `status`. */
export type FromTarget = {
  readonly kind: 'failed'
  readonly fault: 'missing' | 'threw' | 'returned'
  readonly text: string
}

export const TO_TARGET = {
  go: { manager: isCount },
  reopen: { files: isList(isOneOf('stdout', 'stderr')) },
} satisfies Shapes<ToTarget>

export const FROM_TARGET = {
  failed: { fault: isOneOf('missing', 'threw', 'returned'), text: isText },
} satisfies Shapes<FromTarget>
