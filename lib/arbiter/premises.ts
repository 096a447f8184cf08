/**
 * What only one arbiter of an instance can have: the pidfile, the control socket, the metrics address. Taken at the start,
 * or when the arbiter before this one is gone (USR2); until then the pidfile is called `.2`, as gunicorn has it.
 */
import type { LoadedConfig } from '../config/load.ts'
import type { Commands } from '../control/protocol.ts'
import type { ControlServer } from '../control/server.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import { adoptPidfile, claimPidfile, type Pidfile } from '../system/pidfile.ts'
import { type Fd, fd } from '../units.ts'
import { openArbiterControl } from './control.ts'
import type { Metrics } from './metrics/metrics.ts'
import { openScrape, type Scrape } from './metrics/scrape.ts'
import { type Statsd, startStatsd } from './metrics/statsd.ts'

/** What a client that has connected for metrics may take before an upgrade hangs up on it, in milliseconds. */
const SCRAPE_PATIENCE = 1000

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

/** For another image of this process. */
export type PackedPremises = {
  readonly pidfile: { readonly path: string; readonly fd: number } | null
  readonly control: { readonly listener: number; readonly lock: number } | null
  /** Listens on the metrics address. */
  readonly scrape: number | null
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
    const waiting = this.#pidfile
    this.#openScrape(null)
    this.#claim('')
    waiting?.release()
    this.#openControl(null)
    this.#startStatsd()
  }

  /** As the image before this one had them. */
  unpack({ pidfile, control, scrape }: PackedPremises): void {
    if (pidfile !== null) this.#pidfile = adoptPidfile(pidfile.path, fd(pidfile.fd))
    if (scrape !== null) this.#openScrape(fd(scrape))
    this.#openControl(control)
    this.#startStatsd()
  }

  pack(): PackedPremises {
    const [pidfile, control] = [this.#pidfile, this.#control]
    return {
      pidfile: pidfile && { path: pidfile.path, fd: pidfile.fd },
      control: control && { listener: control.listener, lock: control.lock },
      scrape: this.#scrape?.listener ?? null,
    }
  }

  /** Whoever asks for metrics waits from now on: as long as another image takes to begin. */
  async pause(): Promise<void> {
    await this.#scrape?.pause(SCRAPE_PATIENCE)
  }

  /** There will be no other image. */
  resume(): void {
    this.#scrape?.resume()
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

  #openScrape(inherited: Fd | null): void {
    const { kernel, loaded, metrics } = this.#parts
    const { metricsBind } = loaded.config
    if (metricsBind !== null) this.#scrape = openScrape(metricsBind, kernel, metrics.routes(), inherited)
  }

  #openControl(inherited: PackedPremises['control']): void {
    const { kernel, log, commands, control, schedule } = this.#parts
    const held = inherited && { listener: fd(inherited.listener), lock: fd(inherited.lock) }
    this.#control = openArbiterControl(control, { kernel, log, commands, schedule, ...(held && { inherited: held }) })
  }

  #startStatsd(): void {
    const { kernel, log, loaded, metrics } = this.#parts
    this.#statsd = startStatsd(loaded.config, kernel, log, () => metrics.snapshot())
  }

  #claim(suffix: string): void {
    const { kernel, loaded } = this.#parts
    const { pidfile } = loaded.config
    if (pidfile !== null) this.#pidfile = claimPidfile(pidfile + suffix, kernel)
  }
}
