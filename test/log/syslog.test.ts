import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { LONGEST_RECORD, type SyslogRecord, syslogBytes } from '../../lib/log/syslog.ts'
import { openSyslog } from '../../lib/log/syslog-sender.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { dist, start, startMonoceros } from '../support/process.ts'

const APP = join(__dirname, 'access-app.js')

const record: SyslogRecord = {
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  zone: 60,
  facility: 'local3',
  level: 'warning',
  host: 'web 1',
  tag: 'shop',
  pid: 4711,
  text: 'worker left code=1',
}

test('A record for this machine is as syslog(3) writes it, in local time.', () => {
  expect(String(syslogBytes(record, 'unix'))).toBe('<156>Jan  2 04:04:05 shop[4711]: worker left code=1')
})

test('A record for the network is as RFC 5424 has it, in TCP with its length before it.', () => {
  const text = '<156>1 2026-01-02T03:04:05.678Z web-1 shop 4711 - - worker left code=1'
  expect(String(syslogBytes(record, 'udp'))).toBe(text)
  expect(String(syslogBytes(record, 'tcp'))).toBe(`${text.length} ${text}`)
})

test.each([
  ['critical', 'kern', 2],
  ['error', 'daemon', 27],
  ['info', 'user', 14],
  ['debug', 'local7', 191],
] as const)('The priority of %s to %s is %d.', (level, facility, priority) => {
  expect(String(syslogBytes({ ...record, level, facility }, 'unix'))).toMatch(new RegExp(`^<${priority}>`))
})

test('A record that is too long is cut, but not within a character.', () => {
  for (const pad of ['', 'x', 'xx']) {
    const bytes = syslogBytes({ ...record, text: pad + '€'.repeat(LONGEST_RECORD) }, 'unix')
    expect(bytes.length).toBeLessThanOrEqual(LONGEST_RECORD)
    expect(String(bytes)).not.toContain('\ufffd')
  }
})

/** Collects what servers get, and waits for a text in it. */
function collected() {
  let all = ''
  let wake = (): void => undefined
  return {
    add(data: unknown) {
      all += `${data}\n`
      wake()
    },
    async has(pattern: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        const found = pattern.exec(all)
        if (found) return found
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

test('The log and the access log go to syslog over UDP, details line by line.', async () => {
  const server = createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  const heard = collected()
  server.on('message', heard.add)
  const folder = temporaryFolder()
  const path = join(folder, 'sock')
  const args = [
    '--log-syslog',
    '--log-syslog-to',
    `udp://127.0.0.1:${server.address().port}`,
    '--log-syslog-prefix',
    'shop',
  ]
  const monoceros = startMonoceros([APP, '--bind', `unix:${path}`, '--access-logfile', '/dev/null', ...args], {
    cwd: folder,
  })
  await heard.has(/<14>1 \S+ \S+ shop \d+ - - all workers are ready generation=1\n/)
  await ask({ path }, { path: '/seen' })
  await heard.has(/<14>1 \S+ \S+ shop\.access \d+ - - .*GET \/seen HTTP\/1\.1/)
  monoceros.signal('SIGTERM')
  await heard.has(/shop \d+ - - monoceros has stopped code=0\n/)
  expect(await monoceros.ended()).toEqual({ code: 0, signal: null })
  server.close()
})

test('The log goes to a socket of this machine.', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'log')
  const manager = join(__dirname, '..', 'system', 'service-manager.py')
  const command = [process.execPath, dist('cli/monoceros.js'), APP, '--bind', `unix:${folder}/sock`]
  const syslog = ['--log-syslog', '--log-syslog-to', `unix://${path}`, '--log-syslog-facility', 'daemon']
  const server = start('python3', [manager, 'notify', path, ...command, ...syslog], { cwd: folder })
  await server.line(/^told '<30>[A-Z][a-z]{2} [ \d]\d [\d:]{8} monoceros\[\d+\]: all workers are ready generation=1'$/)
})

test('A server that is not there is reported once, and stops nothing.', async () => {
  const folder = temporaryFolder()
  const args = ['--log-syslog', '--log-syslog-to', `unix://${folder}/nothing`, '--bind', `unix:${folder}/sock`]
  const server = startMonoceros([APP, ...args], { cwd: folder })
  await server.line('all workers are ready')
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
  expect(server.output.match(/syslog: cannot send to \S+nothing: ENOENT; records are lost/g)).toHaveLength(1)
})

test('A TCP server that goes away is told so once, and gets records again when it is back.', async () => {
  const heard = collected()
  const sockets = new Set<Socket>()
  const listen = (port: number) =>
    createServer((socket) => {
      sockets.add(socket)
      socket.on('data', heard.add)
      socket.on('error', () => undefined)
    }).listen(port, '127.0.0.1')
  const first = listen(0)
  await once(first, 'listening')
  const { port } = first.address() as AddressInfo
  const troubles: string[] = []
  const to = { kind: 'tcp', host: '127.0.0.1', port } as const
  const syslog = openSyslog(
    { to, facility: 'user', tag: 'shop' },
    { datagram: () => undefined, onTrouble: (line) => troubles.push(line) },
  )
  syslog.send('info', 'one')
  await heard.has(/^\d+ <14>1 .* shop \d+ - - one\n/)
  for (const socket of sockets) socket.destroy()
  first.close()
  while (troubles.length === 0) {
    syslog.send('info', 'lost')
    await new Promise(setImmediate)
  }
  expect(troubles).toEqual([
    expect.stringMatching(/^syslog: cannot send to tcp:\/\/127\.0\.0\.1:\d+: .*; records are lost$/),
  ])
  const second = listen(port)
  await once(second, 'connection')
  let over = false
  const back = heard.has(/ - - back\n/).then(() => {
    over = true
  })
  while (!over) {
    syslog.send('info', 'back')
    await new Promise(setImmediate)
  }
  await back
  while (troubles.length === 1) {
    syslog.send('info', 'more')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(troubles.slice(1)).toEqual([
    expect.stringMatching(/^syslog: tcp:\S+ takes records again(; at least [1-9]\d* were lost)?$/),
  ])
  syslog.close()
  for (const socket of sockets) socket.destroy()
  second.close()
})

test('Of a UDP port where nobody is, one line is told, although that line is sent there too.', async () => {
  const nobody = createSocket('udp4').bind(0, '127.0.0.1')
  await once(nobody, 'listening')
  const { port } = nobody.address()
  await new Promise<void>((resolve) => nobody.close(resolve))
  const troubles: string[] = []
  const syslog = openSyslog(
    { to: { kind: 'udp', host: '127.0.0.1', port }, facility: 'user', tag: 'shop' },
    {
      datagram: () => undefined,
      onTrouble(line) {
        troubles.push(line)
        syslog.send('warning', line)
      },
    },
  )
  while (troubles.length === 0) {
    syslog.send('info', 'one')
    await new Promise(setImmediate)
  }
  for (let n = 0; n < 100; n += 1) {
    syslog.send('info', 'more')
    await new Promise(setImmediate)
  }
  expect(troubles).toEqual([`syslog: cannot send to udp://127.0.0.1:${port}: ECONNREFUSED; records are lost`])
  syslog.close()
})

test('A socket that takes one record and refuses the next by turns is not told of each time.', () => {
  let clock = 0
  const now = jest.spyOn(performance, 'now').mockImplementation(() => clock)
  let full = false
  const troubles: string[] = []
  const syslog = openSyslog(
    { to: { kind: 'unix', path: '/dev/log' }, facility: 'user', tag: 'shop' },
    {
      datagram() {
        if (full) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
      },
      onTrouble: (line) => void troubles.push(line),
    },
  )
  for (let n = 0; n < 20; n += 1, clock += 100) {
    full = n % 2 === 0
    syslog.send('info', 'one')
  }
  expect(troubles).toEqual(['syslog: cannot send to /dev/log: EAGAIN; records are lost'])
  clock += 2_000
  syslog.send('info', 'one')
  expect(troubles.slice(1)).toEqual(['syslog: /dev/log takes records again; at least 10 were lost'])
  now.mockRestore()
})
