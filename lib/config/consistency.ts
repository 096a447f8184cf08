/** What settings mean together: each may be right, and the whole wrong or useless. Pure. */

import { formatDuration } from './codecs/numbers.ts'
import type { Merged } from './merge.ts'
import { describeSource, type Problem } from './problems.ts'
import { SETTINGS, type SettingName } from './settings.ts'

/** The idle time after which common load balancers close a connection; who closes earlier than they makes them answer 502. */
const BALANCER_IDLE = 60_000

/** What cannot be. */
export function contradictions({ config, sources }: Merged): Problem[] {
  const problems: Problem[] = []
  const complain = (name: SettingName, text: string): void => {
    problems.push({ key: name, source: sources[name], text })
  }
  if (config.certfile === null) {
    for (const name of TLS_ONLY)
      if (config[name] !== SETTINGS[name].default) complain(name, 'needs certfile, which is not set')
  } else if (config.certReqs !== 'none' && config.caCerts === null)
    complain('certReqs', `is "${config.certReqs}" and needs caCerts, which is not set`)
  if (config.reload && config.preload)
    complain('reload', 'cannot be used with preload: what a mold has loaded is not known; use it for development only')
  if (config.restartDelay > config.restartDelayMax)
    complain(
      sources.restartDelay.kind === 'default' ? 'restartDelayMax' : 'restartDelay',
      `restartDelay is ${formatDuration(config.restartDelay)}; allowed: at most restartDelayMax, which is ${formatDuration(config.restartDelayMax)}`,
    )
  if (config.statsdHost?.kind === 'tcp')
    complain('statsdHost', 'is a TCP address; allowed: a UDP address such as "host:8125", or "unix://PATH"')
  return problems
}

/** What means nothing without TLS. */
const TLS_ONLY = [
  'keyfile',
  'caCerts',
  'certReqs',
  'ciphers',
  'tlsMinVersion',
] as const satisfies readonly SettingName[]

/** What can be, but somebody should know. */
export function doubts({ config, sources }: Merged): string[] {
  const doubt = (name: SettingName, text: string): string => `${name} (${describeSource(sources[name])}) ${text}`
  const doubts: string[] = []
  if (config.keepalive > 0 && config.keepalive < BALANCER_IDLE)
    doubts.push(
      doubt(
        'keepalive',
        `is ${formatDuration(config.keepalive)}: load balancers that keep connections for 60s will answer 502 now and then`,
      ),
    )
  if (config.hooks.includes('sslContext') && config.certfile === null)
    doubts.push(doubt('hooks', 'has sslContext, which is not called without certfile'))
  if (config.maxRequestsJitter > 0 && config.maxRequests === 0)
    doubts.push(doubt('maxRequestsJitter', 'does nothing without maxRequests'))
  if (config.reforkAfter > 0 && !config.preload) doubts.push(doubt('reforkAfter', 'does nothing without preload'))
  if (config.maxRequests > 0 && config.reforkAfter > config.maxRequests)
    doubts.push(doubt('reforkAfter', `is never reached: maxRequests replaces workers after ${config.maxRequests}`))
  if (config.reforkAfter > 0 && config.inspect)
    doubts.push(doubt('reforkAfter', 'does nothing with inspect: a worker with an inspector cannot become a mold'))
  for (const name of ['drainIdle', 'drainStreams'] as const)
    if (config[name] > config.gracefulTimeout && sources[name].kind !== 'default')
      doubts.push(doubt(name, `is cut short by gracefulTimeout, which is ${formatDuration(config.gracefulTimeout)}`))
  return doubts
}
