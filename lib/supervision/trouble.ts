/**
 * How a process ended, and what was wrong with it. Facts only; `describe.ts` makes the words.
 */
import type { Ms, Pid } from '../units.ts'
import type { How, Reason } from './ladder.ts'

/** How a process ended: exactly one of `code` and `signal` is not null. The kernel's `Exit` is one. */
export type Exit = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly core: boolean
}

/** What the process itself said was wrong before it exited (the channel's `failed` message is one). */
export type Fault = { readonly fault: string; readonly text: string; readonly stack?: string }

/** What went wrong with a life: why it is started again, later, or not at all. */
export type Trouble =
  /** It exited without being asked to. */
  | { readonly kind: 'exited'; readonly exit: Exit; readonly fault: Fault | null }
  /** There never was a process. `error` is one line. */
  | { readonly kind: 'spawnFailed'; readonly error: string; readonly fault: Fault | null }
  /** Nobody answered the request to spawn in time. */
  | { readonly kind: 'spawnTimeout' }
  /** It was not ready (or did not pass its probe) in time; `wasReady`: it was, but has not told that it has lasted. */
  | { readonly kind: 'bootTimeout'; readonly wasReady?: true }
  /** It gave no sign of life for too long. */
  | { readonly kind: 'silent' }

/** The last exit of a life. */
export type Ended = {
  readonly pid: Pid
  readonly exit: Exit
  readonly at: Ms
  /** How long the process was there. */
  readonly lived: Ms
  /** Why it had to go, and what was last done to make it; null: it went by itself. */
  readonly told: { readonly reason: Reason; readonly how: How } | null
  /** Null where it went because it was asked to, and nothing was wrong. */
  readonly trouble: Trouble | null
}
