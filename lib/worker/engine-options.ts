/** The settings in the words of the HTTP engine. */
import type { WorkerSettings } from '../config/settings.ts'
import type { EngineOptions } from '../http/engine.ts'
import type { OtherEnd } from '../http/half-closed.ts'
import type { Limits } from '../http/limits.ts'
import { schemeReader, trust } from '../http/proxy/forwarded.ts'
import { tlsOptions } from '../http/tls.ts'
import { peerOf } from './app/scheme.ts'

const LIMITS = [
  'limitRequestLine',
  'limitRequestFields',
  'limitRequestFieldSize',
  'limitRequestHead',
  'limitRequestBody',
] as const satisfies readonly (keyof Limits)[]

/** Reads the files of TLS; throws an Error of one line that names setting and file. */
export const engineOptions = (settings: WorkerSettings, otherEnd: OtherEnd): EngineOptions => {
  const { explicit, permitObsoleteFolding, permitUnconventionalHttpMethod, requireHostHeader, headerMap } = settings
  const { certfile, proxyProtocol: mode, proxyAllowIps } = settings
  // Only limits that somebody has set: an app's own `maxHeaderSize` raises the defaults.
  const set = LIMITS.filter((name) => explicit.includes(name))
  return {
    limits: Object.fromEntries(set.map((name) => [name, settings[name]])),
    parser: { permitObsoleteFolding, permitUnconventionalHttpMethod, requireHostHeader, headerMap },
    keepAlive: { timeout: settings.keepalive, explicit: explicit.includes('keepalive') },
    disconnectGrace: settings.disconnectGrace,
    otherEnd,
    ...(mode !== 'off' && { proxy: { mode, trusts: trust(proxyAllowIps) } }),
    ...(certfile !== null && { tls: tlsOptions({ ...settings, certfile }) }),
    ...(explicit.includes('secureSchemeHeaders') && { refuse: refuseConflicts(settings) }),
  }
}

/** Whoever names these fields relies on them: of two that contradict each other, one is forged. */
const refuseConflicts = (settings: WorkerSettings): NonNullable<EngineOptions['refuse']> => {
  const { forwardedAllowIps, secureSchemeHeaders } = settings
  const isTrusted = trust(forwardedAllowIps)
  const read = schemeReader(secureSchemeHeaders)
  return (rawHeaders, socket) => {
    if (!isTrusted(peerOf(socket))) return null
    const scheme = read(rawHeaders)
    return typeof scheme === 'object' ? scheme : null
  }
}
