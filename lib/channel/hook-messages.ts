/**
 * What the arbiter and the process that runs the config file's hooks say to each other, on a channel like the workers'
 * (`channel.ts`). The first message is always the arbiter's `go`.
 */
import { isCount, isList, isOneOf, isText, maybe, type Shapes } from './decode.ts'

export const HOOKS_PROTOCOL = 1

export type HooksGo = {
  readonly kind: 'go'
  readonly protocol: number
  /** The arbiter's pid: a process whose parent is another one exits. */
  readonly arbiter: number
  /** The config file, absolute. */
  readonly file: string
}

/** Arbiter to hooks. */
export type ToHooks =
  | HooksGo
  /** Call it with these arguments, plain data. It is late after `within` milliseconds. */
  | {
      readonly kind: 'call'
      readonly id: number
      readonly hook: string
      readonly args: readonly unknown[]
      readonly within: number
    }
  /** Finish the call that runs, then leave. */
  | { readonly kind: 'stop' }
  /** Descriptors: one for each name, to be placed on it. */
  | { readonly kind: 'reopen'; readonly files: readonly ('stdout' | 'stderr')[] }

/** Hooks to arbiter. */
export type FromHooks =
  | { readonly kind: 'announced'; readonly pid: number }
  /** The config file is loaded: hooks may be called. */
  | { readonly kind: 'ready' }
  /** It is not, and why, in one line; the process ends. */
  | { readonly kind: 'unusable'; readonly text: string; readonly stack?: string }
  /** Each `call` is answered by one of these. `late`: it still runs, and nobody waits for it. */
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'late'; readonly id: number }
  | { readonly kind: 'threw'; readonly id: number; readonly text: string; readonly stack?: string }

export const TO_HOOKS = {
  go: { protocol: isCount, arbiter: isCount, file: isText },
  call: { id: isCount, hook: isText, args: isList(() => true), within: isCount },
  stop: {},
  reopen: { files: isList(isOneOf('stdout', 'stderr')) },
} satisfies Shapes<ToHooks>

export const FROM_HOOKS = {
  announced: { pid: isCount },
  ready: {},
  unusable: { text: isText, stack: maybe(isText) },
  done: { id: isCount },
  late: { id: isCount },
  threw: { id: isCount, text: isText, stack: maybe(isText) },
} satisfies Shapes<FromHooks>
