import { createNotifier, formatNotification, watchdogInterval } from '../../lib/system/notify.ts'
import { ms } from '../../lib/units.ts'

function listening(env: Record<string, string>) {
  const sent: [string, string][] = []
  const told: string[] = []
  const kernel = { notify: (path: string, text: string) => void sent.push([path, text]) }
  const notifier = createNotifier({ kernel, env, pid: 42, onTrouble: (line) => told.push(line) })
  return { notifier, sent, told, kernel }
}

test('Without NOTIFY_SOCKET nothing is sent.', () => {
  const { notifier, sent } = listening({ WATCHDOG_USEC: '1000000' })
  expect(notifier.active).toBe(false)
  expect(notifier.watchdogEvery).toBeNull()
  notifier.ready('2 workers')
  expect(sent).toEqual([])
})

test('The messages are those that systemd knows, each with its status.', () => {
  const { notifier, sent } = listening({ NOTIFY_SOCKET: '@/org/notify' })
  notifier.ready('2 workers')
  notifier.reloading(ms(12.3456), 'reloading')
  notifier.stopping('draining')
  notifier.send({ MAINPID: 43, EXTEND_TIMEOUT_USEC: 5_000_000 })
  notifier.send({ WATCHDOG: 1 })
  expect(sent.map(([path]) => path)).toEqual(Array(5).fill('@/org/notify'))
  expect(sent.map(([, text]) => text)).toEqual([
    'READY=1\nSTATUS=2 workers\n',
    'RELOADING=1\nMONOTONIC_USEC=12346\nSTATUS=reloading\n',
    'STOPPING=1\nSTATUS=draining\n',
    'MAINPID=43\nEXTEND_TIMEOUT_USEC=5000000\n',
    'WATCHDOG=1\n',
  ])
})

test('A status of several lines cannot set another variable.', () => {
  expect(formatNotification({ STATUS: 'a\nMAINPID=1\r\0b' })).toBe('STATUS=a MAINPID=1 b\n')
})

test('A service manager that does not listen is reported once and stops nothing.', () => {
  const { notifier, told, kernel } = listening({ NOTIFY_SOCKET: '/run/notify' })
  kernel.notify = () => {
    throw Object.assign(new Error('sendto'), { code: 'ECONNREFUSED' })
  }
  notifier.ready('up')
  notifier.ready('up')
  expect(told).toEqual(['NOTIFY_SOCKET: cannot write to /run/notify: ECONNREFUSED'])
})

test('The watchdog is due at half of its limit, and only in the process it is meant for.', () => {
  expect(watchdogInterval({ WATCHDOG_USEC: '30000000' }, 42)).toBe(15_000)
  expect(watchdogInterval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '42' }, 42)).toBe(15_000)
  expect(watchdogInterval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '43' }, 42)).toBeNull()
  for (const WATCHDOG_USEC of ['0', '-5', 'soon', '']) expect(watchdogInterval({ WATCHDOG_USEC }, 42)).toBeNull()
  expect(watchdogInterval({}, 42)).toBeNull()
})
