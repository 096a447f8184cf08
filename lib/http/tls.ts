/** TLS in front of an app that made a plain `http.Server`: what the settings say, as Node's options. */
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import type { HookTls } from '../config/settings/hooks.ts'

/** What the engine is given: read anew for each reload. */
export type TlsOptions = tls.TlsOptions & {
  /** In place of the one that the other options would make. */
  readonly secureContext?: tls.SecureContext | undefined
}

/**
 * Reads the files and tries the key on the certificate, so that what is wrong shows at once. Throws an Error of one
 * line that names setting and file. Clients without a certificate that `optional` asked for are served; what the app
 * sees of a certificate that was not accepted is `socket.authorized`.
 */
export function tlsOptions(settings: HookTls): TlsOptions {
  const { certfile, keyfile, caCerts, certReqs, ciphers, tlsMinVersion } = settings
  const cert = read('certfile', certfile)
  const options: TlsOptions = {
    cert,
    key: keyfile === null ? cert : read('keyfile', keyfile),
    minVersion: tlsMinVersion,
    requestCert: certReqs !== 'none',
    rejectUnauthorized: certReqs === 'required',
    ...(caCerts !== null && { ca: read('caCerts', caCerts) }),
    ...(ciphers !== null && { ciphers }),
  }
  try {
    tls.createSecureContext(options)
  } catch (error) {
    const files = keyfile === null ? certfile : `${certfile} and ${keyfile}`
    throw new Error(`certfile: no TLS with ${files}: ${(error as Error).message}`)
  }
  return options
}

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Error(`${setting}: cannot read ${path}: ${(error as Error).message}`)
  }
}
