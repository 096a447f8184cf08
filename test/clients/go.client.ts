import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { run } from '../support/process.ts'
import { digest, site } from './site.ts'

test("Go's default client keeps its connection, sends chunks with a trailer, reads trailers, and waits for 100.", async () => {
  const { url } = await site()
  const { code, stdout, stderr } = await run('go', ['run', join(__dirname, 'client.go'), url], {
    env: { GOCACHE: temporaryFolder(), GO111MODULE: 'off' },
    patience: 170_000,
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [, name, status, reused, continued, trailer, body] =
          /^(\w+) (\d+) reused=(\w+) continued=(\w+) trailer="(\w*)" (.*)$/.exec(line)!
        return [name, { status, reused, continued, trailer, body }]
      }),
  )
  const z = { bytes: 200_000, sha256: digest('z'.repeat(200_000)) }
  const seen = (name: string) => JSON.parse(lines.get(name)!.body!)
  expect(lines.get('get')).toMatchObject({ status: '200', reused: 'false' })
  expect(lines.get('post')).toMatchObject({ status: '200', reused: 'true' })
  expect(seen('post').body).toEqual(z)
  expect(lines.get('chunked')).toMatchObject({ status: '200', reused: 'true' })
  expect(seen('chunked')).toMatchObject({
    headers: { 'transfer-encoding': 'chunked' },
    trailers: { digest: 'abc' },
    body: z,
  })
  expect(lines.get('trailers')).toMatchObject({ status: '200', trailer: 'abc', body: 'body' })
  expect(lines.get('expect')).toMatchObject({ status: '200', continued: 'true' })
  expect(seen('expect').body).toEqual(z)
})
