/**
 * What arbiter and manager say to each other, on a channel like the workers' (`channel.ts`). The first message is
 * always the arbiter's `go`; the manager starts nothing before it.
 *
 * What may be long, environments and configurations, travels beside the message in a sealed memory (`blob.ts`): a
 * datagram has a limit.
 */

import type { CompanionConfig } from '../config/companions.ts'
import type { SyslogSettings } from '../log/syslog-settings.ts'

export const MANAGER_PROTOCOL = 1

/** What the manager runs: the blob of `go` and of `config`. */
export type ManagerConfig = {
  readonly companions: readonly CompanionConfig[]
  /** `target` companions are forked from a mold; null: all are exec'd. */
  readonly preload: PreloadConfig | null
  /** The environment that companions' own is merged over: the arbiter's, with the NODE_OPTIONS that it took out of it. */
  readonly env: Readonly<Record<string, string>>
}

export type PreloadConfig = {
  /** How long the mold may take until it is loaded and quiet, in milliseconds. */
  readonly patience: number
  /** As in `MoldGo`. */
  readonly open: 'refuse' | 'warn'
  /** What cannot be forked is exec'd instead of failing. */
  readonly fallback: boolean
}

/** Descriptors: the memory of sessions (`sessions.ts`), a blob of `ManagerConfig`. */
export type ManagerGo = {
  readonly kind: 'go'
  readonly protocol: number
  /** Of monoceros, for the log. */
  readonly version: string
  /** The arbiter's pid: a manager whose parent is another process exits. */
  readonly arbiter: number
  /** Where the control socket is to stand; null: none. Its directory has been made. */
  readonly controlSocket: string | null
  /** Said to `monocerosctl`, which finds an instance by them. */
  readonly name: string
  readonly cwd: string
  /** As the arbiter's own log is written. */
  readonly log: {
    readonly level: 'debug' | 'info' | 'warning' | 'error' | 'critical'
    readonly format: 'text' | 'json'
    readonly syslog: SyslogSettings | null
  }
}

/** Arbiter to manager. */
export type ToManager =
  | ManagerGo
  /** `graceful`: each companion has its own time to stop. `quick`: all are killed now. Then the manager exits with 0. */
  | { readonly kind: 'stop'; readonly how: 'graceful' | 'quick' }
  /** Reopen log files. Descriptors: one for each name, to be placed on it. */
  | { readonly kind: 'reopen'; readonly files: readonly ('stdout' | 'stderr')[] }
  /** Answer to `reread`. One descriptor: a blob of `ManagerConfig`. The arbiter keeps it for the next manager. */
  | { readonly kind: 'config'; readonly id: number }
  /** Answer to `reread`: `error` is one line. */
  | { readonly kind: 'configFailed'; readonly id: number; readonly error: string }

/** Manager to arbiter. */
export type FromManager =
  /** Its signal handlers stand: from now on it may be signalled and told. */
  | { readonly kind: 'announced'; readonly pid: number }
  /** Companions are being started. `control`: where its socket stands; null where it could not be made. */
  | { readonly kind: 'ready'; readonly control: string | null; readonly companions: number }
  /** Load the configuration again, validated whole. */
  | { readonly kind: 'reread'; readonly id: number }
  /** A companion whose `onFatal` is `exit` went to FATAL: stop everything and exit with this code. */
  | { readonly kind: 'fatal'; readonly name: string; readonly code: number; readonly text: string }
