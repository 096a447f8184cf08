/** The settings in the words of the HTTP engine. Pure. */
import type { WorkerSettings } from '../config/settings.ts'
import type { EngineOptions } from '../http/engine.ts'
import type { Limits } from '../http/limits.ts'

const LIMITS = [
  'limitRequestLine',
  'limitRequestFields',
  'limitRequestFieldSize',
  'limitRequestHead',
  'limitRequestBody',
] as const satisfies readonly (keyof Limits)[]

/** Only limits that somebody has set: an app's own `maxHeaderSize` raises the defaults. */
export const engineOptions = (settings: WorkerSettings): EngineOptions => {
  const { explicit, permitObsoleteFolding, permitUnconventionalHttpMethod, requireHostHeader, headerMap } = settings
  const set = LIMITS.filter((name) => explicit.includes(name))
  return {
    limits: Object.fromEntries(set.map((name) => [name, settings[name]])),
    parser: { permitObsoleteFolding, permitUnconventionalHttpMethod, requireHostHeader, headerMap },
    keepAlive: { timeout: settings.keepalive, explicit: explicit.includes('keepalive') },
    disconnectGrace: settings.disconnectGrace,
  }
}
