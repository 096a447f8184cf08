/** Whatever cannot work: one line that says what and where, the documented exit code, nothing left running. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { childrenOf, descriptorsOf, isAlive } from '../support/proc.ts'
import { dist, type Ended, type Output, run } from '../support/process.ts'
import { until } from '../support/until.ts'
import { ready, serve } from './service.ts'

const GOOD = `require('node:http').createServer((q, r) => r.end()).listen(3000)`

type Outcome = Ended & Output & { readonly folder: string }

async function monoceros(args: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const folder = temporaryFolder({ 'app.js': GOOD, ...files })
  const ended = await run(process.execPath, [dist('cli/monoceros.js'), ...args], {
    cwd: folder,
    env: { XDG_RUNTIME_DIR: folder },
  })
  return { ...ended, folder }
}

/** One line about the trouble, and no stack of ours. */
function expectRefused({ code, stderr }: Outcome, wanted: number, line: RegExp): void {
  expect(stderr.split('\n').filter((one) => line.test(one))).toHaveLength(1)
  expect(stderr).not.toMatch(/\bat .*dist\//)
  expect(code).toBe(wanted)
}

test('an address in use', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const outcome = await monoceros(['app.js', '-b', `127.0.0.1:${port}`])
  server.close()
  expectRefused(outcome, 2, new RegExp(`bind: cannot listen on 127.0.0.1:${port}: the address is in use`))
})

test('an address that the app itself asks for, in use: the app hears EADDRINUSE', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const app = `require('node:http').createServer().listen(${port}, '127.0.0.1').on('error', (e) => { console.log('heard ' + e.code); process.exit(9) })`
  const outcome = await monoceros(['app.js'], { 'app.js': app })
  server.close()
  expect(outcome.stdout).toContain('heard EADDRINUSE')
  expect([3, 4]).toContain(outcome.code)
})

test('an address that does not parse', async () => {
  expectRefused(await monoceros(['app.js', '-b', 'localhost:http']), 2, /bind.*"localhost:http".*allowed/)
})

test('a host that does not exist', async () => {
  expectRefused(await monoceros(['app.js', '-b', 'no-such-host.invalid:80']), 2, /bind: cannot listen on no-such-host/)
})

test('a descriptor that is no socket', async () => {
  expectRefused(
    await monoceros(['app.js', '-b', 'fd://77']),
    2,
    /bind: cannot listen on fd:\/\/77: there is no such descriptor/,
  )
})

test('an app file that is not there', async () => {
  expectRefused(await monoceros(['nowhere.js']), 4, /app: nowhere.js: no such file/)
})

test('an app that throws when it is loaded shows its own error and stack once, not once for each worker', async () => {
  const outcome = await monoceros(['app.js', '-w', '4'], { 'app.js': 'throw new TypeError("no database for you")' })
  expect(outcome.code).toBe(4)
  expect(outcome.stderr.match(/^\s*at .*app\.js:1/gm)).toHaveLength(1)
  expect(outcome.stderr).toContain('no database for you')
  expect(outcome.stderr).not.toMatch(/dist\/(arbiter|worker|cli)/)
})

test.each([[[]], [['--preload']]])('an app that throws a message longer than a datagram: %s', async (args) => {
  const app = 'throw new Error("no page: " + "x".repeat(300_000))'
  const outcome = await monoceros(['app.js', ...args], { 'app.js': app })
  expect(outcome.code).toBe(4)
  expect(outcome.stderr).toMatch(/the app cannot be served: .*Error: no page: x+…$/m)
  expect(outcome.stderr).not.toContain('EMSGSIZE')
})

test('an app that throws before its worker has heard all that it was told: its error is known all the same', async () => {
  // The access log's descriptor waits in the channel, unread, and the arbiter hears nothing until the worker is gone.
  const app = `
    process.kill(process.ppid, 'SIGSTOP')
    console.log('loaded by ' + process.pid)
    throw new Error('broken on purpose')`
  const { program } = serve(['--access-logfile', '-'], { files: { 'app.js': app } })
  const [, worker] = await program.line(/loaded by (\d+)/)
  await until(() => !isAlive(Number(worker)))
  program.signal('SIGCONT')
  expect(await program.ended()).toEqual({ code: 4, signal: null })
  expect(program.stderr).toMatch(/the app cannot be served: .*broken on purpose/)
})

test('an app that does not parse', async () => {
  const outcome = await monoceros(['app.js'], { 'app.js': 'const = 3' })
  expect(outcome.code).toBe(4)
  expect(outcome.stderr).toMatch(/SyntaxError/)
})

test('an app that exits with 0 at once', async () => {
  const outcome = await monoceros(['app.js'], { 'app.js': 'process.exit(0)' })
  expect(outcome.code).toBe(4)
  expect(outcome.stderr).toMatch(/app\.js.*exit/)
})

test('an app that neither listens nor exports anything', async () => {
  const outcome = await monoceros(['app.js'], { 'app.js': 'module.exports = { answer: 42 }' })
  expect(outcome.code).toBe(4)
  expect(outcome.stderr).toMatch(/neither listens nor exports an app/)
})

test('an app that goes on but never listens fails at the boot timeout', async () => {
  const outcome = await monoceros(['app.js', '--boot-timeout', '0.5s'], { 'app.js': 'setInterval(() => {}, 1000)' })
  expect(outcome.code).toBe(3)
  expect(outcome.stderr).toMatch(/workers fail to boot: was not ready in time \(bootTimeout\)/)
})

test('an app that never listens, as it is idle or as it is busy: which of both is said', async () => {
  const idle = await monoceros(['app.js', '--boot-timeout', '3s'], { 'app.js': 'setInterval(() => {}, 100)' })
  expect(idle.stderr).toMatch(/process \d+ is not busy: its event loop waits/)
  expect(idle.stderr).not.toMatch(/is busy at|processTimers/)
  const busy = await monoceros(['app.js', '--boot-timeout', '3s'], {
    'app.js': '(function countsForEver() { for (;;); })()',
  })
  expect(busy.stderr).toMatch(/process \d+ is busy at:\n[\s\S]*countsForEver/)
})

test('an export that is not there', async () => {
  const outcome = await monoceros(['app.js:handler'], { 'app.js': 'exports.other = 1' })
  expect(outcome.code).toBe(4)
  expect(outcome.stderr).toMatch(/has no export "handler"; it exports default, other/)
})

test('a config file that cannot be read', async () => {
  expectRefused(await monoceros(['app.js', '-c', 'nowhere.json']), 2, /nowhere\.json/)
})

test('a config file that throws', async () => {
  const outcome = await monoceros(['app.js', '-c', 'c.mjs'], { 'c.mjs': 'throw new Error("half written")' })
  expectRefused(outcome, 2, /c\.mjs.*half written/)
})

test('the pidfile of a living arbiter', async () => {
  const service = serve(['--pid', 'one.pid'])
  await ready(service, 1)
  const outcome = await monoceros(['app.js', '--pid', join(service.folder, 'one.pid')])
  expectRefused(outcome, 2, new RegExp(`pidfile: .*one\\.pid is held by process ${service.program.pid}`))
  expect((await service.get()).status).toBe(200)
})

test('the pidfile of an arbiter that was killed is taken over', async () => {
  const first = serve(['--pid', 'one.pid'])
  await ready(first, 1)
  first.program.signal('SIGKILL')
  await first.program.ended()
  const pidfile = join(first.folder, 'one.pid')
  expect(readFileSync(pidfile, 'utf8').trim()).toBe(String(first.program.pid))
  const second = serve(['--pid', pidfile])
  await ready(second, 1)
  expect(readFileSync(pidfile, 'utf8').trim()).toBe(String(second.program.pid))
})

test.each([
  ['port', '127.0.0.1:81', 'no permission (ports below 1024 need root or CAP_NET_BIND_SERVICE)'],
  ['socket file', 'unix:app.sock', 'no permission to write in its folder'],
])('no permission for a %s', async (_, address, why) => {
  const folder = temporaryFolder({ 'app.js': GOOD })
  chmodSync(folder, 0o755)
  const outcome = await run(
    'setpriv',
    [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--bounding-set=-all',
      process.execPath,
      dist('cli/monoceros.js'),
      'app.js',
      '-b',
      address,
      '--no-control-socket',
    ],
    { cwd: folder },
  )
  // Where the machine lets everybody have low ports there is nothing to refuse.
  expectRefused({ ...outcome, folder }, 2, /^monoceros: bind: cannot listen on /)
  expect(outcome.stderr).toContain(why)
})

test('a user that does not exist', async () => {
  expectRefused(await monoceros(['app.js', '--user', 'nobody-here']), 2, /user: there is no user "nobody-here"/)
})

test('a log file that cannot be opened', async () => {
  expectRefused(
    await monoceros(['app.js', '--error-logfile', '/nowhere/at/all.log']),
    2,
    /errorlog: cannot open \/nowhere\/at\/all\.log/,
  )
})

test('a limit of open files with which nothing can be started', async () => {
  const told: string[] = []
  // What Node itself needs differs from version to version; a little above that it is we who find none left.
  for (let limit = 16; limit <= 26; limit++) {
    const folder = temporaryFolder({ 'app.js': 'process.exit(0)' })
    const args = ['-c', `ulimit -n ${limit}; exec "$@"`, 'sh', process.execPath, dist('cli/monoceros.js'), 'app.js']
    const { code, stderr } = await run('bash', args, { cwd: folder, env: { XDG_RUNTIME_DIR: folder } })
    expect(stderr).not.toContain('should not have happened')
    if (stderr.includes('too many open files') && code === 2) told.push(stderr)
  }
  expect(told).toContainEqual(expect.stringMatching(/^monoceros: EMFILE.*: the limit of open files is too low .*\n$/))
})

test('a full descriptor table: workers that cannot be started back off, the others serve on', async () => {
  const service = serve(['-w', '2'])
  await service.program.line('all workers are ready')
  const { pid } = service.program
  const open = descriptorsOf(pid).length
  await run('prlimit', ['--pid', String(pid), `--nofile=${open}:4096`])
  const [victim] = service.children()
  process.kill(victim!, 'SIGSTOP')
  writeFileSync(join(service.folder, 'more'), '')
  service.program.signal('SIGTTIN')
  await service.program.line(/worker failed .*(EMFILE|descriptor)/)
  process.kill(victim!, 'SIGCONT')
  expect((await service.get()).status).toBe(200)
  const mark = service.program.mark()
  await run('prlimit', ['--pid', String(pid), '--nofile=4096:4096'])
  await ready(service, 1, mark)
  expect(childrenOf(pid)).toHaveLength(3)
})
