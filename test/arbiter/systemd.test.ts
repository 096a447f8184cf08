/** Under a service manager: sd_notify(3), the watchdog, and sockets that it has opened. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { dist, type Program, start } from '../support/process.ts'
import { APP, type Service, type ServiceOptions, serve } from './service.ts'

type Managed = { readonly service: Service; readonly manager: Program }

/** A service under a service manager that writes down what it is told. */
async function managed(args: readonly string[], options: ServiceOptions = {}): Promise<Managed> {
  const path = join(temporaryFolder(), 'notify')
  const manager = start('python3', [join(__dirname, 'notify-socket.py'), path])
  await manager.line('bound')
  const service = serve(['--startsecs', '0', ...args], { ...options, env: { NOTIFY_SOCKET: path, ...options.env } })
  return { service, manager }
}

const said = ({ stdout }: Program): string => stdout

test('READY comes when every worker is, and not before', async () => {
  const app = `const { existsSync } = require('node:fs')
    const wait = () => (existsSync(__dirname + '/go') ? require('node:http').createServer().listen(3000) : setTimeout(wait, 5))
    setTimeout(wait, 5)`
  const { service, manager } = await managed(['-w', '2'], { files: { 'app.js': app } })
  await manager.line('told STATUS=0 of 2 workers serve, generation 1')
  expect(said(manager)).not.toContain('READY')
  writeFileSync(join(service.folder, 'go'), '')
  await manager.line('told READY=1 STATUS=2 of 2 workers serve, generation 1')
  await service.program.line('all workers are ready')
})

test('a reload says so with the time, and is ready again when it is over, well or badly', async () => {
  const { service, manager } = await managed([])
  await manager.line('READY=1')
  const before = Number(process.hrtime.bigint() / 1000n)
  let mark = manager.mark()
  service.program.signal('SIGHUP')
  const [, time] = await manager.line(/told RELOADING=1 MONOTONIC_USEC=(\d+) STATUS=reloading/, mark)
  expect(Number(time)).toBeGreaterThanOrEqual(before)
  await manager.line('told READY=1 STATUS=1 of 1 workers serve, generation 2', mark)

  writeFileSync(join(service.folder, 'app.js'), `throw new Error('broken')`)
  mark = manager.mark()
  service.program.signal('SIGHUP')
  await manager.line('told RELOADING=1', mark)
  await manager.line('told READY=1 STATUS=1 of 1 workers serve, generation 2; reload failed: Error: broken', mark)

  writeFileSync(join(service.folder, 'monoceros.config.json'), '{"nonsense": 1}')
  mark = manager.mark()
  service.program.signal('SIGHUP')
  await manager.line('told RELOADING=1', mark)
  await manager.line(/told READY=1 STATUS=1 of 1 workers serve, generation 2; reload refused: .*nonsense/, mark)
})

test('STOPPING is said at once, and more time is asked for while an answer is on its way', async () => {
  const { service, manager } = await managed([])
  await manager.line('READY=1')
  const slow = service.get('/slow')
  await service.program.line('slow begun')
  const go = connect(join(service.folder, 'http.sock'))
  await new Promise((resolve) => go.once('connect', resolve))
  const mark = manager.mark()
  service.program.signal('SIGTERM')
  await manager.line('told STOPPING=1 STATUS=stopping', mark)
  await manager.line('told STATUS=stopping: 1 worker left', mark)
  await manager.lines(/told EXTEND_TIMEOUT_USEC=10000000/, 2, mark)
  go.write('GET /go HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect((await slow).status).toBe(200)
  expect(await service.program.ended()).toEqual({ code: 0, signal: null })
})

test('an app that cannot be served is said before the end', async () => {
  const { service, manager } = await managed([], { files: { 'app.js': `throw new Error('no database')` } })
  await manager.line('told STOPPING=1 STATUS=stopping; Error: no database')
  expect(said(manager)).not.toContain('READY')
  expect((await service.program.ended()).code).toBe(4)
})

test('the watchdog is answered while a worker is good, and goes unanswered when none is', async () => {
  const app = `const { existsSync } = require('node:fs')
    if (existsSync(__dirname + '/broken')) process.exit(1)
    ${APP}`
  const { service, manager } = await managed([], { env: { WATCHDOG_USEC: '400000' }, files: { 'app.js': app } })
  await manager.line('READY=1')
  await manager.lines('told WATCHDOG=1', 3, manager.mark())
  writeFileSync(join(service.folder, 'broken'), '')
  const [worker] = service.children()
  process.kill(worker!, 'SIGKILL')
  await service.program.line('no worker is good: the watchdog of the service manager goes unanswered')
  const [mark, failures] = [manager.mark(), service.program.mark()]
  await service.program.lines('worker failed', 2, failures)
  expect(said(manager).slice(mark)).not.toContain('WATCHDOG')
  rmSync(join(service.folder, 'broken'))
  await service.program.line('the watchdog of the service manager is answered again')
  await manager.line('told WATCHDOG=1', mark)
})

/** With the sockets that systemd-socket-activate opens; it starts the service at the first connection. */
function activated(
  addresses: readonly string[],
  args: readonly string[],
  env = {},
): { program: Program; folder: string } {
  const folder = temporaryFolder({ 'app.js': APP })
  const listen = addresses.flatMap((address) => ['-l', address.replace('FOLDER', folder)])
  const command = [process.execPath, dist('cli/monoceros.js'), 'app.js', ...args]
  const names = Object.keys(env).flatMap((name) => ['-E', name])
  const options = { cwd: folder, env: { XDG_RUNTIME_DIR: folder, PATH: process.env.PATH, ...env } }
  return { program: start('systemd-socket-activate', [...listen, ...names, ...command], options), folder }
}

test.each([
  ['', {}],
  [', with NODE_OPTIONS for the workers', { NODE_OPTIONS: '--no-warnings' }],
])('sockets that were passed are served on, and their files stay%s', async (_also, env) => {
  const { program, folder } = activated(['FOLDER/web.sock', 'FOLDER/more.sock'], ['-b', '127.0.0.1:1'], env)
  await program.line('Listening on')
  const first = ask({ path: join(folder, 'web.sock') })
  await program.line('bind: 127.0.0.1:1 is not opened, because sockets were passed (LISTEN_FDS)')
  expect((await first).status).toBe(200)
  expect((await ask({ path: join(folder, 'more.sock') })).status).toBe(200)
  program.signal('SIGTERM')
  expect(await program.ended()).toEqual({ code: 0, signal: null })
  expect(existsSync(join(folder, 'web.sock'))).toBe(true)
})

test('of the sockets that were passed, bind may choose', async () => {
  const { program, folder } = activated(['FOLDER/web.sock', 'FOLDER/other.sock'], ['-b', 'fd://4'])
  await program.line('Listening on')
  connect(join(folder, 'web.sock')).on('error', () => undefined)
  await program.line('worker ready')
  expect((await ask({ path: join(folder, 'other.sock') })).status).toBe(200)
  expect(program.output).not.toContain('web.sock has')
})

test('sockets that are none are an error that says so', async () => {
  const folder = temporaryFolder({ 'app.js': APP })
  const script = join(__dirname, '..', 'system', 'service-manager.py')
  const args = ['lie', process.execPath, dist('cli/monoceros.js'), 'app.js']
  const program = start('python3', [script, ...args], { cwd: folder })
  await program.line('monoceros: LISTEN_FDS: descriptor 4 (admin) is no listening socket (ENOTSOCK)')
  expect((await program.ended()).code).toBe(2)
})
