/** The bridge between `fetch(Request) → Response` and Node's server. */
import { once } from 'node:events'
import http from 'node:http'
import { type Fetch, fetchHandler, type SchemeOf } from '../../lib/worker/app/fetch.ts'
import { schemeOf } from '../../lib/worker/app/scheme.ts'
import { ask, converse } from '../support/http.ts'

const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const serve = async (fetch: Fetch, scheme?: SchemeOf): Promise<{ port: number }> => {
  const server = http.createServer(fetchHandler(fetch, scheme)).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { port: (server.address() as { port: number }).port }
}

const silently = async <T>(run: () => Promise<T>): Promise<T> => {
  const spy = jest.spyOn(console, 'error').mockImplementation(() => undefined)
  try {
    return await run()
  } finally {
    spy.mockRestore()
  }
}

describe('the request', () => {
  it('has method, URL, headers and body of what came', async () => {
    const at = await serve(async (request) =>
      Response.json({
        method: request.method,
        url: request.url,
        two: request.headers.get('x-two'),
        body: await request.text(),
      }),
    )
    const { body } = await ask(at, {
      method: 'PUT',
      path: '/a%20b?c=d&c=e',
      headers: { host: 'example.com', 'x-two': ['1', '2'] },
      body: 'sent',
    })
    expect(JSON.parse(body)).toEqual({
      method: 'PUT',
      url: 'http://example.com/a%20b?c=d&c=e',
      two: '1, 2',
      body: 'sent',
    })
  })

  it.each([
    ['//evil.example/x', 'http://a.example//evil.example/x'],
    ['/?next=http://x', 'http://a.example/?next=http://x'],
    ['http://other.example/y', 'http://other.example/y'],
    ['*', 'http://a.example/*'],
  ])('has the target %s beside the host, as text', async (target, url) => {
    const at = await serve((request) => new Response(request.url))
    const client = await converse(at)
    client.send(`OPTIONS ${target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`)
    expect(await client.closed()).toMatch(new RegExp(`\r\n\r\n${url.replace(/[?*]/g, '\\$&')}$`))
  })

  it('has the address of the socket where HTTP/1.0 names no host', async () => {
    const at = await serve((request) => new Response(request.url))
    const client = await converse(at)
    client.send('GET /x HTTP/1.0\r\n\r\n')
    expect(await client.closed()).toContain(`\r\n\r\nhttp://127.0.0.1:${at.port}/x`)
  })

  it('has a body that is read as it comes', async () => {
    const at = await serve(async (request) => {
      const seen: string[] = []
      for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
        seen.push(Buffer.from(chunk).toString())
        if (seen.length === 1) first()
      }
      return new Response(seen.join('|'))
    })
    let first = (): void => undefined
    const began = new Promise<void>((resolve) => {
      first = resolve
    })
    const client = await converse(at)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\none\r\n')
    await began
    client.send('3\r\ntwo\r\n0\r\n\r\n')
    expect(await client.closed()).toContain('one|two')
  })

  it('is refused where the Fetch standard has no such method or URL', async () => {
    const at = await serve(() => new Response('never'))
    expect((await ask(at, { method: 'TRACE' })).status).toBe(501)
    expect((await ask(at, { headers: { host: 'a b' } })).status).toBe(400)
  })

  it("comes with Node's own objects", async () => {
    const at = await serve((_request, { incoming, outgoing }) => {
      outgoing.setHeader('x-node', incoming.httpVersion)
      return new Response('ok')
    })
    expect((await ask(at)).headers['x-node']).toBe('1.1')
  })

  it('has a signal that is aborted when the client goes, and only then', async () => {
    const aborted: boolean[] = []
    let gone = (): void => undefined
    const at = await serve(
      (request) =>
        new Promise((resolve) => {
          if (request.url.endsWith('/stay')) {
            request.signal.addEventListener('abort', () => aborted.push(true))
            resolve(new Response('stayed'))
          } else request.signal.addEventListener('abort', () => gone())
          if (request.url.endsWith('/go')) client.destroy()
        }),
    )
    const client = await converse(at)
    const left = new Promise<void>((resolve) => {
      gone = resolve
    })
    client.send('GET /go HTTP/1.1\r\nHost: a\r\n\r\n')
    await left
    expect((await ask(at, { path: '/stay' })).body).toBe('stayed')
    expect(aborted).toEqual([])
  })
})

describe('the scheme', () => {
  const url: Fetch = (request) => new Response(request.url)
  const headers = { host: 'a', 'x-forwarded-proto': 'https' }

  it("is believed of a trusted peer's headers only", async () => {
    const secureSchemeHeaders = { 'X-Forwarded-Proto': 'https' }
    const trusting = await serve(url, schemeOf({ forwardedAllowIps: ['127.0.0.0/8'], secureSchemeHeaders }))
    const wary = await serve(url, schemeOf({ forwardedAllowIps: ['10.0.0.1'], secureSchemeHeaders }))
    expect((await ask(trusting, { headers })).body).toBe('https://a/')
    expect((await ask(trusting, { headers: { host: 'a' } })).body).toBe('http://a/')
    expect((await ask(wary, { headers })).body).toBe('http://a/')
  })
})

describe('the response', () => {
  it('has status, text, headers and several cookies', async () => {
    const at = await serve(() => {
      const headers = new Headers({ 'content-type': 'text/x', 'x-a': 'b' })
      headers.append('set-cookie', 'a=1; Path=/, x')
      headers.append('set-cookie', 'b=2')
      return new Response('made', { status: 201, statusText: 'Made', headers })
    })
    const answer = await ask(at)
    expect(answer).toMatchObject({ status: 201, body: 'made' })
    expect(answer.headers).toMatchObject({ 'content-type': 'text/x', 'x-a': 'b' })
    expect(answer.headers['set-cookie']).toEqual(['a=1; Path=/, x', 'b=2'])
  })

  it.each([
    ['text', () => new Response('four')],
    ['bytes', () => new Response(new Uint8Array(4))],
    ['JSON', () => Response.json({})],
  ])('of one piece (%s) has its length', async (_, make) => {
    const at = await serve(make)
    const { headers, body } = await ask(at)
    expect(headers).toMatchObject({ 'content-length': String(Buffer.byteLength(body)) })
    expect(headers['transfer-encoding']).toBeUndefined()
  })

  it('streams: the first chunk is there before the second is made', async () => {
    let more = (): void => undefined
    const at = await serve(
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(Buffer.from('first'))
              more = () => {
                controller.enqueue(Buffer.from('second'))
                controller.close()
              }
            },
          }),
        ),
    )
    const client = await converse(at)
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await client.until('first')
    more()
    expect(await client.closed()).toContain('second')
  })

  it('waits for a slow reader', async () => {
    let made = 0
    const at = await serve(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              made += 1
              controller.enqueue(new Uint8Array(64 * 1024))
              if (made === 400) controller.close()
            },
          }),
        ),
    )
    const client = await converse(at)
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    let before = -1
    while (before !== made || made === 0) {
      before = made
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(made).toBeLessThan(300)
    client.socket.resume()
    await client.closed()
    expect(made).toBe(400)
  })

  it('is cancelled when the client goes', async () => {
    let cancelled: (reason: unknown) => void = () => undefined
    const why = new Promise<unknown>((resolve) => {
      cancelled = resolve
    })
    const at = await serve(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(Buffer.from('first')),
            cancel: (reason) => cancelled(reason),
          }),
        ),
    )
    const client = await converse(at)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('first')
    client.destroy()
    expect(await why).toMatchObject({ name: 'AbortError' })
  })

  it('to HEAD, 204 and 304 has no body, and the one that was made is cancelled', async () => {
    let cancelled = 0
    const body = () => new ReadableStream({ cancel: () => void cancelled++ })
    const at = await serve(({ url }) =>
      url.endsWith('304') ? new Response(null, { status: 304 }) : new Response(body(), { headers: { 'x-a': 'b' } }),
    )
    expect(await ask(at, { method: 'HEAD' })).toMatchObject({ status: 200, body: '', headers: { 'x-a': 'b' } })
    expect(await ask(at, { path: '/304' })).toMatchObject({ status: 304, body: '' })
    expect(cancelled).toBe(1)
  })

  it('that fails in the middle ends the connection, without a good end', async () => {
    const at = await serve(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(Buffer.from('half')),
            pull: () => Promise.reject(new Error('lost')),
          }),
        ),
    )
    await silently(async () => {
      await expect(ask(at)).rejects.toThrow(/aborted|hang up|reset/)
    })
  })

  it.each([
    ['an app that throws', () => Promise.reject(new Error('bug'))],
    ['what is no Response', () => 'text'],
    ['Response.error()', () => Response.error()],
  ])('is 500 for %s', async (_, fetch) => {
    const at = await serve(fetch)
    await silently(async () => expect((await ask(at)).status).toBe(500))
  })

  it('may be written by the app itself', async () => {
    const at = await serve((_request, { outgoing }) => {
      outgoing.end('by hand')
    })
    expect((await ask(at)).body).toBe('by hand')
  })
})
