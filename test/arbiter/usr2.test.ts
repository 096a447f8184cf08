/** USR2: a new arbiter on the same sockets, and the way back. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { startLoad } from '../support/load.ts'
import { childrenOf, isAlive } from '../support/proc.ts'
import { type Program, start } from '../support/process.ts'
import { until } from '../support/until.ts'
import { type Service, type ServiceOptions, serve } from './service.ts'

const APP = `
require('node:http').createServer((req, res) => {
  let received = 0
  req.on('data', (chunk) => { received += chunk.length })
  req.on('end', () => res.end(JSON.stringify({ pid: process.pid, received, ppid: process.ppid })))
}).listen(3000)
`
const TICKER = `setInterval(() => {}, 1000); console.log('ticker begins ' + process.pid)`

type Upgraded = {
  readonly service: Service
  readonly old: number
  readonly fresh: number
  pidfile(which?: string): string
}

async function begun(args: readonly string[] = [], options: ServiceOptions = {}): Promise<Service> {
  const files = { 'app.js': APP, ...options.files }
  const common = ['--startsecs', '0', '--drain-idle', '0.3s', '--pid', 'arbiter.pid']
  const service = serve([...common, ...args], { ...options, files })
  await service.program.line('all workers are ready')
  return service
}

/** Sends USR2 and waits until both serve. */
async function upgraded(args: readonly string[] = [], options: ServiceOptions = {}): Promise<Upgraded> {
  const service = await begun(args, options)
  const { program, folder } = service
  program.signal('SIGUSR2')
  const [, pid] = await program.line(/the new arbiter serves; TERM ends this one pid=(\d+)/)
  const pidfile = (which = ''): string => readFileSync(join(folder, `arbiter.pid${which}`), 'utf8').trim()
  return { service, old: program.pid, fresh: Number(pid), pidfile }
}

/** Ends an arbiter that is nobody's child any more, and waits until it is gone. */
async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  await until(() => !isAlive(pid))
}

test('the new one serves beside the old one, and takes over when that is told to end', async () => {
  const { service, old, fresh, pidfile } = await upgraded(['-w', '2'])
  const { program, folder } = service
  const load = startLoad({ path: join(folder, 'http.sock'), connections: 3, pause: 1 })
  expect([pidfile(), pidfile('.2')]).toEqual([String(old), String(fresh)])
  program.signal('SIGTERM')
  await program.line(`this one takes over pid=${old}`)
  expect(pidfile()).toBe(String(fresh))
  expect(existsSync(join(folder, 'arbiter.pid.2'))).toBe(false)
  expect(JSON.parse((await service.get()).body).ppid).toBe(fresh)
  expect(await load.stop()).toMatchObject({ failures: {}, samples: [] })
  await end(fresh)
  expect(existsSync(join(folder, 'http.sock'))).toBe(false)
  expect(existsSync(join(folder, 'arbiter.pid'))).toBe(false)
})

test('WINCH drains the old workers, HUP brings them back when the new one is told to end', async () => {
  const { service, old, fresh, pidfile } = await upgraded()
  const { program, folder } = service
  const load = startLoad({ path: join(folder, 'http.sock'), connections: 3, keepAlive: false })
  program.signal('SIGWINCH')
  await program.line(new RegExp(`arbiter\\[${old}\\] all workers are drained`))
  expect(JSON.parse((await service.get()).body).ppid).toBe(fresh)
  program.signal('SIGHUP')
  await program.line(new RegExp(`arbiter\\[${old}\\] the new generation serves`))
  await end(fresh)
  await program.line(`the new arbiter exited with code 0; this one goes on pid=${fresh}`)
  expect(JSON.parse((await service.get()).body).ppid).toBe(old)
  expect(pidfile()).toBe(String(old))
  expect(existsSync(join(folder, 'arbiter.pid.2'))).toBe(false)
  expect(await load.stop()).toMatchObject({ failures: {}, samples: [] })
  // And once more.
  const mark = program.mark()
  program.signal('SIGUSR2')
  const [, pid] = await program.line(/the new arbiter serves; TERM ends this one pid=(\d+)/, mark)
  await end(Number(pid))
})

test('a second USR2 is refused by the old one, and by the new one while the old one is there', async () => {
  const { service, fresh } = await upgraded()
  service.program.signal('SIGUSR2')
  await service.program.line(`a new arbiter is there already pid=${fresh}`)
  process.kill(fresh, 'SIGUSR2')
  await service.program.line('no new arbiter is started while the one before this one is still there')
  await end(fresh)
})

test('a new arbiter whose app is broken ends by itself, and the old one goes on', async () => {
  const service = await begun()
  writeFileSync(join(service.folder, 'app.js'), `throw new Error('broken')`)
  service.program.signal('SIGUSR2')
  await service.program.line(/the new arbiter exited with code 4; this one goes on/)
  expect((await service.get()).status).toBe(200)
  expect(existsSync(join(service.folder, 'http.sock'))).toBe(true)
})

describe('companions', () => {
  const config = `module.exports = { companions: [{ name: 'ticker', command: ['${process.execPath}', 'ticker.js'], startsecs: 0 }] }`
  const files = { 'monoceros.config.cjs': config, 'ticker.js': TICKER }
  const tickers = ({ output }: Program): number[] =>
    [...output.matchAll(/ticker begins (\d+)/g)].map(([, pid]) => Number(pid))

  test('are the old one’s until it is gone, and then the new one’s', async () => {
    const { service, old, fresh } = await upgraded([], { files })
    const { program } = service
    await program.until(() => tickers(program).length === 1, 'a ticker')
    const [first] = tickers(program)
    program.signal('SIGTERM')
    await program.line(`this one takes over pid=${old}`)
    expect(isAlive(first!)).toBe(false)
    await program.until(() => tickers(program).length === 2, 'a second ticker')
    await end(fresh)
    expect(isAlive(tickers(program)[1]!)).toBe(false)
  })

  test('are never there twice, even when the old one is killed', async () => {
    const { service, old, fresh } = await upgraded([], { files })
    const { program } = service
    await program.until(() => tickers(program).length === 1, 'a ticker')
    const [first] = tickers(program)
    program.signal('SIGKILL')
    await program.ended()
    // Its output is ours no longer; the pidfile says when the new one has taken over.
    const pidfile = join(service.folder, 'arbiter.pid')
    while (existsSync(`${pidfile}.2`)) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(isAlive(first!)).toBe(false)
    expect(readFileSync(pidfile, 'utf8').trim()).toBe(String(fresh))
    expect(isAlive(old)).toBe(false)
    expect(childrenOf(fresh).length).toBeGreaterThan(0)
    await end(fresh)
  })
})

test('the service manager is told who the main process is', async () => {
  const path = join(temporaryFolder(), 'notify')
  const manager = start('python3', [join(__dirname, 'notify-socket.py'), path])
  await manager.line('bound')
  const { service, old, fresh } = await upgraded([], { env: { NOTIFY_SOCKET: path } })
  await manager.line(`told MAINPID=${fresh}`)
  service.program.signal('SIGTERM')
  await service.program.line(`this one takes over pid=${old}`)
  expect(manager.stdout).not.toContain('STOPPING')
  await end(fresh)
  await manager.line('told STOPPING=1')
})
