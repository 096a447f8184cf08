import { type ListenRequest, nameOf, place } from '../../lib/worker/listen/place.ts'

const FREE = { explicit: false, name: null }
const BOUND = { explicit: true, name: null }
const request = (change: Partial<ListenRequest> = {}): ListenRequest => ({
  address: '127.0.0.1',
  port: 3000,
  own: false,
  http: true,
  v6only: false,
  mode: 0o755,
  ...change,
})

describe('where a server listens', () => {
  it('is the address that the app names, when there is no bind', () => {
    expect(place(request(), FREE)).toEqual({
      kind: 'shared',
      choices: [{ kind: 'tcp', host: '127.0.0.1', port: 3000 }],
    })
    expect(place(request({ address: '::1', v6only: true }), FREE)).toEqual({
      kind: 'shared',
      choices: [{ kind: 'tcp', host: '::1', port: 3000, v6only: true }],
    })
    expect(place(request({ address: '/run/app.sock', port: -1 }), FREE)).toEqual({
      kind: 'shared',
      choices: [{ kind: 'unix', path: '/run/app.sock', mode: 0o755 }],
    })
  })

  it('is every interface where it names none: IPv6 first, as in Node', () => {
    expect(place(request({ address: null }), FREE)).toEqual({
      kind: 'shared',
      choices: [
        { kind: 'tcp', host: '::', port: 3000, v6only: false },
        { kind: 'tcp', host: '0.0.0.0', port: 3000 },
      ],
    })
  })

  it('is bind for the first http server, whatever it asks for', () => {
    expect(place(request(), BOUND)).toEqual({ kind: 'bound' })
    expect(place(request({ address: '/run/app.sock', port: -1 }), BOUND)).toEqual({ kind: 'bound' })
  })

  it('is bind again for the same address, and as named for others', () => {
    const bind = { explicit: true, name: '127.0.0.1:3000' }
    expect(place(request(), bind)).toEqual({ kind: 'bound' })
    expect(place(request({ port: 9090 }), bind).kind).toBe('shared')
    expect(place(request({ address: '::1' }), bind).kind).toBe('shared')
  })

  it('is never bind for a plain server', () => {
    expect(place(request({ http: false }), BOUND).kind).toBe('shared')
  })

  it.each([
    ['port 0', { port: 0 }],
    ['a handle, a descriptor, exclusive or reusePort', { own: true }],
  ])('is its own business with %s', (_, change) => {
    expect(place(request(change), BOUND)).toEqual({ kind: 'private' })
    expect(place(request(change), FREE)).toEqual({ kind: 'private' })
  })

  it('is named as one would write it', () => {
    expect(nameOf(request())).toBe('127.0.0.1:3000')
    expect(nameOf(request({ address: '::1' }))).toBe('[::1]:3000')
    expect(nameOf(request({ address: null }))).toBe(':3000')
    expect(nameOf(request({ address: '/a', port: -1 }))).toBe('unix:/a')
  })
})
