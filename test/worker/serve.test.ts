/** What a worker serves its servers with, over its lives. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import tls from 'node:tls'
import { Servers, type ServersOptions } from '../../lib/worker/serve.ts'
import { listening } from './listening.ts'

const file = (name: string): Buffer => readFileSync(join(__dirname, '..', 'http', 'engine', 'certificates', name))
const PAIR = { cert: file('one.cert.pem'), key: file('one.key.pem') }

const options = (): ServersOptions => ({ engine: { tls: PAIR }, responded: null, warn: () => undefined })

/** The name of the certificate. */
async function nameAt(port: number): Promise<string> {
  const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(client, 'secureConnect')
  const { CN } = client.getPeerCertificate().subject
  client.resume().end()
  await once(client, 'close')
  return String(CN)
}

test('what stands in front of servers by the hook sslContext does so in the next life as well', async () => {
  const all = new Servers(options())
  const adopted = async (): Promise<number> => {
    const server = http.createServer()
    all.adopt(server, 'http')
    return listening(server)
  }
  expect(await nameAt(await adopted())).toBe('one')
  all.useTls({ cert: file('two.cert.pem'), key: file('two.key.pem') })
  expect(await nameAt(await adopted())).toBe('two')
  all.renew(options())
  expect(await nameAt(await adopted())).toBe('two')
})
