import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { client, digest, type Seen, site } from './site.ts'

const LARGE = 'x'.repeat(3_000_000)

const curl = async (...args: string[]): Promise<string> => client('curl', ['-sS', '--max-time', '50', ...args])

test('curl, which waits for "100 Continue" before a large body, sends it and is answered.', async () => {
  const { url } = await site()
  const file = join(temporaryFolder(), 'large')
  writeFileSync(file, LARGE)
  const talk = await client('curl', [
    ...['-sS', '--max-time', '50', '--expect100-timeout', '40', '-v', '--stderr', '-'],
    ...['-H', 'Expect: 100-continue', '--data-binary', `@${file}`, `${url}/large`],
  ])
  expect(talk).toContain('< HTTP/1.1 100 Continue')
  expect(talk).toContain('< HTTP/1.1 200 OK')
  expect(talk).toContain(digest(LARGE))
})

test('curl uploads a body of unknown length in chunks.', async () => {
  const { url } = await site()
  const file = join(temporaryFolder(), 'large')
  writeFileSync(file, LARGE)
  const answer = await curl('-T', file, '-H', 'Transfer-Encoding: chunked', `${url}/chunked`)
  const seen: Seen = JSON.parse(answer)
  expect(seen).toMatchObject({ method: 'PUT', body: { bytes: LARGE.length, sha256: digest(LARGE) } })
  expect(seen.headers['transfer-encoding']).toBe('chunked')
  expect(seen.headers['content-length']).toBeUndefined()
})

test('curl asks again on the same connection.', async () => {
  const { url } = await site()
  const answers = await curl(`${url}/1`, '-w', '\n', `${url}/2`, '-w', '\n')
  const ports = answers
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Seen).remotePort)
  expect(ports).toHaveLength(2)
  expect(new Set(ports).size).toBe(1)
})

test('A client that closes its side after the request (socat) still gets the answer.', async () => {
  const { port } = await site()
  const request = 'GET /half HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n'
  const answer = await client('bash', ['-c', `printf '${request}' | socat -t 40 - TCP:127.0.0.1:${port}`])
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).toContain('"url":"/half"')
})
