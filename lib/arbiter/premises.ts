/**
 * What only one arbiter of an instance can have: the pidfile, the control socket, the metrics address. Taken at the start,
 * or when the arbiter before this one is gone (USR2); until then the pidfile is called `.2`, as gunicorn has it.
 */
import type { LoadedConfig } from '../config/load.ts'
import type { Commands } from '../control/protocol.ts'
import type { ControlServer } from '../control/server.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import { claimPidfile, type Pidfile } from '../system/pidfile.ts'
import { openArbiterControl } from './control.ts'
import type { Metrics } from './metrics.ts'
import { openScrape, type Scrape } from './scrape.ts'
import { type Statsd, startStatsd } from './statsd.ts'

export type PremisesParts = {
  readonly kernel: Kernel
  readonly log: Log
  readonly loaded: LoadedConfig
  readonly metrics: Metrics
  readonly commands: Commands
  /** Where the control socket is to stand. */
  readonly control: string | null
  readonly schedule: (job: () => void) => void
}

export class Premises {
  readonly #parts: PremisesParts
  #pidfile: Pidfile | null = null
  #control: ControlServer | null = null
  #scrape: Scrape | null = null
  #statsd: Statsd | null = null

  constructor(parts: PremisesParts) {
    this.#parts = parts
  }

  /** Somebody else has them still. Throws a `SetupError`. */
  wait(): void {
    this.#claim('.2')
  }

  /** Throws a `SetupError` where somebody else has them. Handlers of signals must stand: whoever reads the pidfile uses it. */
  take(): void {
    const { kernel, log, loaded, metrics, commands, control, schedule } = this.#parts
    const { metricsBind } = loaded.config
    const waiting = this.#pidfile
    if (metricsBind !== null) this.#scrape = openScrape(metricsBind, kernel, metrics.routes())
    this.#claim('')
    waiting?.release()
    this.#control = openArbiterControl(control, { kernel, log, commands, schedule })
    this.#statsd = startStatsd(loaded.config, kernel, log, () => metrics.snapshot())
  }

  /** Where metrics are served. */
  get metricsAddress(): string | null {
    return this.#scrape?.address ?? null
  }

  /** Idempotent. */
  close(): void {
    this.#control?.close()
    this.#statsd?.close()
    this.#scrape?.close()
    this.#pidfile?.release()
    this.#control = this.#statsd = this.#scrape = this.#pidfile = null
  }

  #claim(suffix: string): void {
    const { kernel, loaded } = this.#parts
    const { pidfile } = loaded.config
    if (pidfile !== null) this.#pidfile = claimPidfile(pidfile + suffix, kernel)
  }
}
