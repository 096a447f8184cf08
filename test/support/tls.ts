/** A client that keeps TLS sessions. */
import { join } from 'node:path'
import tls from 'node:tls'

/** Of servers in tests: `one.key.pem`, `one.cert.pem` and `two` of each. */
export const CERTIFICATES = join(__dirname, '..', 'http', 'engine', 'certificates')

export type Visit = { readonly body: string; readonly reused: boolean; readonly session: Buffer }

/** One request for a body of one number; `session`: of an earlier visit. */
export function visit(to: { readonly path: string } | { readonly port: number }, session?: Buffer): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ ...to, rejectUnauthorized: false, ...(session && { session }) })
    // Whoever resumes a session may get no ticket of its own.
    let latest = session ?? null
    let text = ''
    let reused = false
    socket.on('session', (given) => {
      latest = given
    })
    socket.setEncoding('latin1').on('data', (data) => {
      text += data
    })
    socket.once('secureConnect', () => {
      // A closed socket does not know any more.
      reused = socket.isSessionReused()
      socket.write('GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n')
    })
    socket.once('error', reject)
    socket.once('close', () => {
      const body = /\r\n\r\n(?:\w+\r\n)?(\d+)/.exec(text)?.[1]
      if (body === undefined || latest === null) reject(new Error(`no answer or no session: ${text}`))
      else resolve({ body, reused, session: latest })
    })
  })
}
