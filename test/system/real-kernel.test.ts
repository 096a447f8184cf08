import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { start, startNode } from '../support/process.ts'

const script = (name: string): string => join(__dirname, name)
const HOLD = script('hold-pidfile.js')
const hold = (path: string) => startNode(HOLD, [path], { stdio: ['pipe', 'pipe', 'pipe'] })

test('Of two processes on one pidfile the second is told who holds it.', async () => {
  const path = join(temporaryFolder(), 'server.pid')
  const first = hold(path)
  await first.line('claimed')
  const second = hold(path)
  await second.line(`pidfile: ${path} is held by process ${first.pid}, which is alive`)
  expect(readFileSync(path, 'utf8')).toBe(`${first.pid}\n`)
  first.child.stdin!.write('release\n')
  expect(await first.ended()).toEqual({ code: 0, signal: null })
  expect(existsSync(path)).toBe(false)
})

test('The pidfile of a killed process is stale at once.', async () => {
  const path = join(temporaryFolder(), 'server.pid')
  const first = hold(path)
  await first.line('claimed')
  first.signal('SIGKILL')
  await first.ended()
  expect(readFileSync(path, 'utf8')).toBe(`${first.pid}\n`)
  const second = hold(path)
  await second.line('claimed')
  expect(readFileSync(path, 'utf8')).toBe(`${second.pid}\n`)
})

test('The pidfile is held over an execve.', async () => {
  const path = join(temporaryFolder(), 'server.pid')
  const first = hold(path)
  await first.line('claimed')
  first.child.stdin!.write('execve\n')
  await first.line('another program')
  await hold(path).line(`is held by process ${first.pid}`)
})

test.each(['path', 'abstract'])('The service manager is told over its socket: %s.', async (kind) => {
  const path = kind === 'path' ? join(temporaryFolder(), 'notify') : `@mono-test-${process.pid}`
  const manager = start('python3', [
    script('service-manager.py'),
    'notify',
    path,
    process.execPath,
    script('notify-once.js'),
  ])
  await manager.line("told 'READY=1\\nSTATUS=2 workers\\n'")
  expect(await manager.ended()).toEqual({ code: 0, signal: null })
})

test('A service manager that is not there is said in one line.', async () => {
  const program = startNode(script('notify-once.js'), [], { env: { NOTIFY_SOCKET: '/nowhere/notify' } })
  await program.line('NOTIFY_SOCKET: cannot write to /nowhere/notify: ENOENT')
  await program.line('sent')
})

test('Passed sockets are found with their names and addresses.', async () => {
  const program = start('python3', [script('service-manager.py'), 'listen', process.execPath, script('passed.js')])
  const [line] = await program.line(/^\[.*\]$/)
  expect(JSON.parse(line)).toEqual([
    { fd: 3, name: 'web', address: { kind: 'tcp', host: '127.0.0.1', port: expect.any(Number) } },
    { fd: 4, name: 'admin', address: { kind: 'tcp', host: '127.0.0.1', port: expect.any(Number) } },
  ])
})

test('A passed descriptor that is no listening socket is named.', async () => {
  const program = start('python3', [script('service-manager.py'), 'lie', process.execPath, script('passed.js')])
  await program.line('LISTEN_FDS: descriptor 4 (admin) is no listening socket (ENOTSOCK)')
})
