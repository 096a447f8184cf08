import { childEnvironment } from '../../lib/kernel/environment.ts'
import { kernelError } from '../../lib/kernel/errors.ts'
import { signalName, signalNumber } from '../../lib/kernel/signals.ts'

describe('the environment of a child', () => {
  it('lacks what was meant for this process alone', () => {
    const env = {
      NODE_CHANNEL_FD: '3',
      NODE_CHANNEL_SERIALIZATION_MODE: 'json',
      NODE_UNIQUE_ID: '1',
      LISTEN_PID: '1',
      LISTEN_FDS: '1',
      LISTEN_FDNAMES: 'http',
      LISTEN_PIDFDID: '1',
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_PID: '1',
      WATCHDOG_USEC: '1',
    }
    expect(childEnvironment(env)).toEqual({})
  })

  it('keeps all else, the variables of the app that only look alike too', () => {
    const env = { NODE_ENV: 'production', NODE_OPTIONS: '', LISTEN_PORT: '80', WATCHDOG: '1', PATH: '/bin' }
    expect(childEnvironment({ ...env, GONE: undefined })).toEqual(env)
  })

  it('is a copy', () => {
    const env = { A: '1' }
    const child = childEnvironment(env)
    child.B = '2'
    expect(env).toEqual({ A: '1' })
  })
})

describe('a kernel error', () => {
  it('that no system call has made is worded as those are', () => {
    const error = kernelError('ENOENT', 'open', '/x')
    expect(error.message).toBe("ENOENT: no such file or directory, open '/x'")
    expect(error).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'open', path: '/x' })
  })
})

describe('a signal', () => {
  it('has one name for its number, the usual one', () => {
    expect([6, 9, 15, 17, 29].map(signalName)).toEqual(['SIGABRT', 'SIGKILL', 'SIGTERM', 'SIGCHLD', 'SIGIO'])
    expect(signalName(40)).toBe('SIG40')
  })

  it('that does not exist has no number', () => {
    expect(signalNumber('SIGTERM')).toBe(15)
    expect(() => signalNumber('SIGBEER' as never)).toThrow('SIGBEER')
  })
})
