/** Whether the files that the settings of TLS name can be served with: tried before any worker starts. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import type { Config } from './settings.ts'

type TlsSettings = Pick<Config, 'certfile' | 'keyfile' | 'caCerts' | 'ciphers' | 'tlsMinVersion' | 'user' | 'group'>

/**
 * One line for each setting with which no TLS is possible; none without `certfile`. A file that only the workers' `user`
 * may read (a capability less in a container) is theirs to judge.
 */
export function tlsProblems(settings: TlsSettings): string[] {
  const { certfile, keyfile, caCerts, ciphers, tlsMinVersion: minVersion } = settings
  if (certfile === null) return []
  const problems: string[] = []
  const isOthers = settings.user !== null || settings.group !== null
  const attempt = <Made>(prefix: string, make: () => Made): Made | null => {
    try {
      return make()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EACCES' || !isOthers) problems.push(`${prefix}: ${reasonOf(error)}`)
      return null
    }
  }
  const read = (name: string, path: string): Buffer | null =>
    attempt(`${name}: cannot read ${path}`, () => readFileSync(path))

  const chain = read('certfile', certfile)
  const certificate =
    chain && attempt(`certfile: ${certfile} holds no certificate (PEM)`, () => firstCertificate(chain))
  const [name, file] = keyfile === null ? (['certfile', certfile] as const) : (['keyfile', keyfile] as const)
  const text = keyfile === null ? chain : read(name, keyfile)
  const more = keyfile === null ? ', and keyfile is not set' : ''
  const key =
    text && attempt(`${name}: ${file} holds no private key (PEM) that can be read${more}`, () => readKey(text))
  if (certificate !== null && key !== null && !certificate.checkPrivateKey(key))
    problems.push(`${name}: the private key in ${file} does not belong to the certificate in ${certfile}`)
  const authorities = caCerts === null ? null : read('caCerts', caCerts)
  if (authorities !== null)
    attempt(`caCerts: ${caCerts} holds no certificates (PEM)`, () => {
      for (const pem of certificatesIn(authorities)) new X509Certificate(pem)
    })
  if (ciphers !== null)
    attempt(`ciphers: ${JSON.stringify(ciphers)}`, () => tls.createSecureContext({ ciphers, minVersion }))
  // What is left: a chain that is cut short, a key that is too weak for this OpenSSL.
  if (problems.length === 0 && chain !== null && text !== null)
    attempt(`certfile: no TLS with ${certfile}`, () =>
      // `@SECLEVEL` among the ciphers says what is too weak.
      tls.createSecureContext({ cert: chain, key: text, minVersion, ...(ciphers !== null && { ciphers }) }),
    )
  return problems
}

/** As TLS reads it: X509Certificate alone would take DER too. */
function firstCertificate(chain: Buffer): X509Certificate {
  return new X509Certificate(certificatesIn(chain)[0]!)
}

const CERTIFICATE = /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END \1?CERTIFICATE-----/g

/** At least one; throws where there is none. */
function certificatesIn(pem: Buffer): readonly string[] {
  const found = pem.toString('latin1').match(CERTIFICATE)
  if (found === null) throw new Error('no "-----BEGIN CERTIFICATE-----"')
  return found
}

function readKey(text: Buffer): KeyObject {
  try {
    return createPrivateKey(text)
  } catch (error) {
    if (text.includes('ENCRYPTED')) throw new Error('it is encrypted, and there is no setting for a passphrase')
    if (!text.includes('PRIVATE KEY-----')) throw new Error('no "-----BEGIN PRIVATE KEY-----"')
    throw error
  }
}

/** OpenSSL's own words without its numbers; the system's without the path, which is named already. */
function reasonOf(error: unknown): string {
  const { message, reason, code } = error as NodeJS.ErrnoException & { readonly reason?: string }
  const known = { ENOENT: 'no such file', EACCES: 'no permission', EISDIR: 'it is a folder' }[code ?? '']
  return known ?? reason ?? message.split('\n', 1)[0]!
}
