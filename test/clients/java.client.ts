import { join } from 'node:path'
import { client, digest, site } from './site.ts'

test("Java's HttpClient, which asks for h2c each time, is served in HTTP/1.1; its WebSocket opens.", async () => {
  const { url } = await site()
  const output = await client('java', [join(__dirname, 'Client.java'), url])
  const lines = new Map(
    output
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  )
  const answer = (name: string) => JSON.parse(/^200 HTTP_1_1 (.*)$/.exec(lines.get(name)!)![1]!)
  expect(answer('get')).toMatchObject({ url: '/get', headers: { upgrade: 'h2c' } })
  expect(answer('again').remotePort).toBe(answer('get').remotePort)
  const y = { bytes: 200_000, sha256: digest('y'.repeat(200_000)) }
  expect(answer('post').body).toEqual(y)
  expect(answer('chunked')).toMatchObject({
    headers: { 'transfer-encoding': 'chunked' },
    body: { bytes: 200_000, sha256: digest('z'.repeat(200_000)) },
  })
  expect(answer('expect')).toMatchObject({ headers: { expect: '100-Continue' }, body: y })
  expect(lines.get('socket')).toBe('from Java')
})
