import type { ListenerAddress } from '../../lib/kernel/kernel.ts'
import { passedListeners, passedSockets } from '../../lib/system/listen-fds.ts'

test.each([
  ['nothing is set', {}],
  ['only the number is set', { LISTEN_FDS: '2' }],
  ['they are for another process', { LISTEN_PID: '43', LISTEN_FDS: '2' }],
])('No socket was passed when %s.', (_, env) => {
  expect(passedSockets(env, 42)).toEqual([])
})

test('The descriptors start at 3 and have the names given, or none.', () => {
  const env = { LISTEN_PID: '42', LISTEN_FDS: '3' }
  expect(passedSockets(env, 42).map(({ fd, name }) => `${fd} ${name}`)).toEqual(['3 unknown', '4 unknown', '5 unknown'])
  const named = passedSockets({ ...env, LISTEN_FDNAMES: 'http:admin:' }, 42)
  expect(named.map(({ name }) => name)).toEqual(['http', 'admin', 'unknown'])
})

test.each([
  [{ LISTEN_PID: '42', LISTEN_FDS: '0' }, 'LISTEN_FDS: "0" is no whole number from 1 to 1024'],
  [{ LISTEN_PID: '42', LISTEN_FDS: '-1' }, 'LISTEN_FDS: "-1" is no'],
  [{ LISTEN_PID: '42', LISTEN_FDS: '2x' }, 'LISTEN_FDS: "2x" is no'],
  [{ LISTEN_PID: '42', LISTEN_FDS: '' }, 'LISTEN_FDS: "" is no'],
  [{ LISTEN_PID: '42', LISTEN_FDS: '4000000000' }, 'LISTEN_FDS: "4000000000" is no'],
  [{ LISTEN_PID: 'me', LISTEN_FDS: '1' }, 'LISTEN_PID: "me" is no'],
  [{ LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' }, 'LISTEN_FDNAMES: has 1 names for 2 descriptors'],
])('%j is refused.', (env, message) => {
  expect(() => passedSockets(env, 42)).toThrow(message)
})

test('Each descriptor must be a listening socket; the first that is none is named.', () => {
  const address: ListenerAddress = { kind: 'tcp', host: '127.0.0.1', port: 8000 }
  const listenerAddress = (fd: number): ListenerAddress => {
    if (fd === 3) return address
    throw Object.assign(new Error('getsockopt'), { code: fd === 4 ? 'ENOTSOCK' : 'EBADF' })
  }
  const env = { LISTEN_PID: '42', LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' }
  expect(passedListeners(env, 42, { listenerAddress })).toEqual([{ fd: 3, name: 'web', address }])
  const lie = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:file' }
  expect(() => passedListeners(lie, 42, { listenerAddress })).toThrow(
    'LISTEN_FDS: descriptor 4 (file) is no listening socket (ENOTSOCK)',
  )
})
