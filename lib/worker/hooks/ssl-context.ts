/**
 * Calls `sslContext` for the TLS that stands in front of the app's server. Where it throws, hangs or gives what is none,
 * there is no TLS: what it was to forbid might be allowed without it.
 */
import tls from 'node:tls'
import { formatDuration } from '../../config/codecs/numbers.ts'
import type { HookTls, WorkerHookFunctions } from '../../config/settings/hooks.ts'
import type { TlsOptions } from '../../http/tls.ts'
import type { Ms } from '../../units.ts'
import { oneLine, oneLineWithPlace } from './one-line.ts'

export type SslContextParts = {
  readonly config: HookTls
  /** What is made of the settings alone. */
  readonly options: TlsOptions
  readonly timeout: Ms
  /** One line for the log. */
  readonly warn: (text: string) => void
}

/** Rejects with an error of one line. */
export async function sslContext(functions: WorkerHookFunctions, parts: SslContextParts): Promise<TlsOptions> {
  const { options, warn } = parts
  const given = await inTime(functions, parts)
  if (given === undefined || given === null) return options
  if (typeof given !== 'object') throw new Error(`hook sslContext gave a ${typeof given}; allowed: ${ALLOWED}`)
  if ('context' in given) return { ...options, secureContext: given as tls.SecureContext }
  const merged: tls.TlsOptions = { ...options, ...(given as tls.TlsOptions) }
  try {
    tls.createSecureContext(merged)
  } catch (error) {
    throw new Error(`hook sslContext gave options that make no context: ${oneLine(error)}`)
  }
  return merged.SNICallback === undefined ? merged : { ...merged, SNICallback: guarded(merged.SNICallback, warn) }
}

const ALLOWED = 'a tls.SecureContext, options for tls.createServer, or nothing'

async function inTime({ sslContext: hook }: WorkerHookFunctions, { config, options, timeout }: SslContextParts) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hook sslContext takes longer than ${formatDuration(timeout)}`)), timeout)
  })
  const called = (async () => hook?.(config, () => tls.createSecureContext(options)))().catch((error: unknown) => {
    throw new Error(`hook sslContext threw: ${oneLineWithPlace(error)}`)
  })
  return Promise.race([called, late]).finally(() => clearTimeout(timer))
}

type SniCallback = NonNullable<tls.TlsOptions['SNICallback']>

/** One that throws ends the handshake that it was asked for, and not the worker. It may be async. */
function guarded(callback: SniCallback, warn: (text: string) => void): SniCallback {
  let isNamed = false
  return (name, done) => {
    let isOver = false
    const once: typeof done = (error, context) => {
      if (!isOver) done(error, context)
      isOver = true
    }
    const failed = (error: unknown): void => {
      if (!isNamed) warn(`SNICallback of hook sslContext threw: ${oneLineWithPlace(error)}`)
      isNamed = true
      once(error instanceof Error ? error : new Error(oneLine(error)))
    }
    try {
      const promised: unknown = callback(name, once)
      if (promised instanceof Promise) promised.then((context) => context && once(null, context), failed)
    } catch (error) {
      failed(error)
    }
  }
}
