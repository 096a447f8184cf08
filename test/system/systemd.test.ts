import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { dist, type Program, start, startMonoceros } from '../support/process.ts'

const MANAGER = join(__dirname, 'service-manager.py')
const APP = join(__dirname, 'gated-app.js')
const COMMAND = [process.execPath, dist('cli/monoceros.js'), APP]

/** `args` after the app; the pid is the arbiter's. */
async function notifying(args: readonly string[], env: Record<string, string> = {}) {
  const folder = temporaryFolder()
  const sock = join(folder, 'sock')
  const all = [MANAGER, 'notify', join(folder, 'notify'), ...COMMAND, '--bind', `unix:${sock}`, ...args]
  const manager = start('python3', all, { cwd: folder, env })
  const [, pid] = await manager.line(/arbiter\[(\d+)\]/)
  return { manager, folder, sock, signal: (signal: NodeJS.Signals) => process.kill(Number(pid), signal) }
}

const told = (manager: Program): string[] =>
  [...manager.stdout.matchAll(/^told '(.*)'$/gm)].map(([, text]) => text!.replaceAll('\\n', ' ').trim())

test('READY comes when every worker serves and not before, and STOPPING with more time at the end.', async () => {
  const gate = join(temporaryFolder(), 'gate')
  const { manager, signal } = await notifying(['-w', '2'], { GATE: gate })
  await manager.lines('worker started', 2)
  expect(told(manager).join()).not.toContain('READY')
  writeFileSync(gate, '')
  await manager.line("told 'READY=1\\nSTATUS=2 of 2 workers serve, generation 1\\n'")
  signal('SIGTERM')
  expect(await manager.ended()).toEqual({ code: 0, signal: null })
  const messages = told(manager)
  expect(messages.filter((message) => message.includes('READY=1'))).toHaveLength(1)
  expect(messages).toContain('STOPPING=1 STATUS=stopping')
  expect(messages.filter((message) => /^EXTEND_TIMEOUT_USEC=\d+$/.test(message))).not.toEqual([])
})

test('A reload is announced with its time and ends with READY, also one that is refused.', async () => {
  const { manager, signal, folder } = await notifying([])
  await manager.line("told 'READY=1")
  let at = manager.mark()
  signal('SIGHUP')
  await manager.line(/told 'RELOADING=1\\nMONOTONIC_USEC=\d+\\n/, at)
  await manager.line("told 'READY=1\\nSTATUS=1 of 1 workers serve, generation 2", at)
  at = manager.mark()
  writeFileSync(join(folder, 'monoceros.config.json'), '{ "workerz": 2 }')
  signal('SIGHUP')
  await manager.line("told 'RELOADING=1", at)
  await manager.line("told 'READY=1\\nSTATUS=1 of 1 workers serve, generation 2", at)
})

test('The watchdog hears of us as often as it wants.', async () => {
  const { manager } = await notifying([], { WATCHDOG_USEC: '200000' })
  await manager.lines("told 'WATCHDOG=1\\n'", 5)
})

test('Status is told when it changes, and not over and over.', async () => {
  const { manager, signal } = await notifying([])
  await manager.line("told 'READY=1")
  signal('SIGTTIN')
  await manager.line("told 'STATUS=2 of 2 workers serve, generation 1\\n'")
  signal('SIGTERM')
  await manager.ended()
  const messages = told(manager).filter((message) => message.startsWith('STATUS='))
  expect(new Set(messages).size).toBe(messages.length)
})

test('Sockets that systemd opens are served in place of bind, and their files are left to it.', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'activated.sock')
  const unused = join(folder, 'unused.sock')
  const command = [...COMMAND, '--bind', `unix:${unused}`]
  const kept = ['MONOCEROS_TEST_RUN', 'MONOCEROS_TEST', 'PATH', 'HOME'].flatMap((name) => ['-E', name])
  const activator = start('systemd-socket-activate', ['-l', path, ...kept, ...command], { cwd: folder })
  await activator.line('Listening on')
  // The connection that wakes it up is answered, too.
  const pid = Number((await ask({ path })).body)
  expect(pid).toBeGreaterThan(0)
  await activator.line(`listening address=unix:${path}`)
  expect(existsSync(unused)).toBe(false)
  activator.signal('SIGTERM')
  expect(await activator.ended()).toEqual({ code: 0, signal: null })
  expect(existsSync(path)).toBe(true)
})

test('Variables that lie are one line and exit code 2.', async () => {
  const liar = start('python3', [MANAGER, 'lie', ...COMMAND], { cwd: temporaryFolder() })
  await liar.line('monoceros: LISTEN_FDS: descriptor 4 (admin) is no listening socket (ENOTSOCK)')
  expect((await liar.ended()).code).toBe(2)
})

test('Without a service manager nothing is different.', async () => {
  const path = join(temporaryFolder(), 'sock')
  const server = startMonoceros([APP, '--bind', `unix:${path}`], { env: { NOTIFY_SOCKET: '/nowhere/notify' } })
  await server.line('NOTIFY_SOCKET: cannot write to /nowhere/notify: ENOENT')
  expect((await ask({ path })).status).toBe(200)
})
