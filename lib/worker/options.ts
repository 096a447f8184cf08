/** The settings that workers need, with their types. */
import type { WorkerSettings } from '../config/settings.ts'
import { type Ms, ms } from '../units.ts'

export type WorkerOptions = {
  readonly backlog: number
  /** 0: the arbiter does not watch for signs of life. */
  readonly timeout: Ms
  /** Ready is what the app calls so (`process.send('ready')`). */
  readonly waitReady: boolean
  readonly clusterWorker: boolean
  /** Environment variable for the slot; false sets none. */
  readonly instanceVar: string | false
  /** 0: for ever. */
  readonly maxRequests: number
  readonly maxRequestsJitter: number
  readonly drainIdle: Ms
  readonly drainStreams: Ms
  readonly procName: string | null
}

const DEFAULTS: WorkerOptions = {
  backlog: 2048,
  timeout: ms(30_000),
  waitReady: false,
  clusterWorker: false,
  instanceVar: 'NODE_APP_INSTANCE',
  maxRequests: 0,
  maxRequestsJitter: 0,
  drainIdle: ms(5_000),
  drainStreams: ms(10_000),
  procName: null,
}

export const workerOptions = (settings: WorkerSettings): WorkerOptions => ({ ...DEFAULTS, ...settings })
