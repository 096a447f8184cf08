/** What all workers of one generation are made from: settled when the generation begins, whatever changes later. */
import type { Config, WorkerSettings } from '../../config/settings.ts'
import type { Listener } from '../listeners/listeners.ts'
import type { Program } from './plan.ts'

export type Generation = {
  readonly config: Config
  /** How many workers. */
  readonly size: number
  readonly program: Program
  readonly settings: WorkerSettings
  /** Opened from `bind`. */
  readonly listeners: readonly Listener[]
}
