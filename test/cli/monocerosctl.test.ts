import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { dist, type Program, run, start, startMonoceros } from '../support/process.ts'
import { until } from '../support/until.ts'

const CTL = dist('cli/monocerosctl.js')
const FILES = {
  'server.js': "require('node:http').createServer((_, response) => response.end('hi')).listen(3000)",
  'jobs.js': `exports.tick = async () => { console.log('tick'); await new Promise(() => setInterval(() => {}, 1e6)) }
              exports.fail = () => { console.error('no queue'); throw new Error('no queue here') }`,
}
const COMPANIONS = [
  { name: 'ticker', target: './jobs.js:tick', stdout: 'ticker.log', stderr: 'stdout', startsecs: '50ms' },
  { name: 'sleeper', command: ['sleep', '1000'], numprocs: 2, startsecs: '50ms' },
]

type Running = { readonly folder: string; readonly tmp: string; readonly server: Program }
/** `keep`: for all tests of the file. */
async function monoceros(
  companions: readonly object[],
  keep: boolean,
  config: object = {},
  tmp?: string,
): Promise<Running> {
  const folder = temporaryFolder({ ...FILES, 'c.json': JSON.stringify({ bind: '127.0.0.1:0', companions, ...config }) })
  const place = tmp ?? join(folder, 't')
  mkdirSync(place, { recursive: true })
  const env = { TMPDIR: place, XDG_RUNTIME_DIR: undefined, RUNTIME_DIRECTORY: undefined }
  const server = startMonoceros(['-c', 'c.json', 'server.js'], { cwd: folder, env, keep })
  await server.line(companions.length > 0 ? 'manager is up' : 'all workers are ready')
  return { folder, tmp: place, server }
}

const ctl = ({ tmp, folder }: { tmp: string; folder: string }, ...args: string[]) =>
  run(process.execPath, [CTL, ...args], {
    cwd: folder,
    env: { TMPDIR: tmp, XDG_RUNTIME_DIR: undefined, RUNTIME_DIRECTORY: undefined, MONOCEROS_SOCKET: undefined },
  })

describe('monocerosctl', () => {
  let shop: Running
  beforeAll(async () => {
    shop = await monoceros(COMPANIONS, true)
    for (const name of ['ticker', 'sleeper:0', 'sleeper:1'])
      expect(await ctl(shop, 'wait', name)).toMatchObject({ code: 0 })
    expect(await ctl(shop, 'wait', 'workers')).toMatchObject({ code: 0, stdout: 'all workers run\n' })
  })

  it('shows workers and companions, finding the sockets by itself', async () => {
    const { stdout, stderr, code } = await ctl(shop, 'status')
    expect(stderr).toBe('')
    expect(stdout).toMatch(
      /^arbiter: pid \d+, up \d:\d\d:\d\d, generation 1, monoceros \d+\.\d+\.\d+\n\nWORKER {2}STATE /,
    )
    expect(stdout).toMatch(/^0 {7}RUNNING {2}\d+ +1 /m)
    expect(stdout).toMatch(/^ticker {5}RUNNING {2}\d+ /m)
    expect(code).toBe(0)
  })

  it('prints the same as JSON for scripts', async () => {
    const { stdout } = await ctl(shop, '--json', 'status')
    const answer = JSON.parse(stdout)
    expect(answer).toMatchObject({ ok: true, role: 'arbiter', pid: shop.server.pid })
    expect(answer.workers).toMatchObject([
      { slot: 0, generation: 1, state: 'RUNNING', rss: expect.any(Number), cpu: expect.any(Number) },
    ])
    expect(answer.companions.map((one: { name: string }) => one.name)).toEqual(['ticker', 'sleeper:0', 'sleeper:1'])
    expect(stdout.trimEnd()).not.toContain('\n')
  })

  it('speaks to the socket that -s or MONOCEROS_SOCKET names, the manager’s too', async () => {
    const { companion_socket: manager } = JSON.parse((await ctl(shop, '--json', 'status')).stdout)
    expect(statSync(manager).mode & 0o777).toBe(0o600)
    const only = await ctl(shop, '-s', manager, 'status')
    expect(only.stdout).toMatch(/^COMPANION/)
    expect(await ctl(shop, '-s', manager, 'reload')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('companion manager'),
    })
    const byEnv = await run(process.execPath, [CTL, 'status', 'ticker'], { env: { MONOCEROS_SOCKET: manager } })
    expect(byEnv).toMatchObject({ code: 0, stdout: expect.stringContaining('ticker') })
  })

  it('stops and starts companions, by name, by family and by glob', async () => {
    expect(await ctl(shop, 'stop', 'sleeper')).toMatchObject({
      code: 0,
      stdout: 'sleeper:1 stopping\nsleeper:0 stopping\n',
    })
    expect(await ctl(shop, 'wait', 'sleeper:*', 'stopped')).toMatchObject({ code: 0 })
    const { stdout, code } = await ctl(shop, 'status', 'sleeper:0', 'ticker')
    expect(stdout).toMatch(/^sleeper:0 {2}STOPPED +- +- +0 +ended by SIGTERM; stopped by command$/m)
    expect(code).toBe(3)
    expect(await ctl(shop, 'start', 'sleeper:0', 'sleeper:1')).toMatchObject({
      code: 0,
      stdout: 'sleeper:0 started\nsleeper:1 started\n',
    })
    expect(await ctl(shop, 'wait', 'all', 'RUNNING')).toMatchObject({ code: 0 })
    expect(await ctl(shop, 'restart', 'ticker')).toMatchObject({ code: 0, stdout: 'ticker restarting\n' })
    expect(await ctl(shop, 'wait', 'all', 'RUNNING')).toMatchObject({ code: 0 })
  })

  it('prints logs, and goes on with them until Ctrl-C', async () => {
    expect(await ctl(shop, 'tail', 'ticker')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tick\n/) })
    const args = [CTL, 'tail', '-f', '-5', 'ticker']
    const following = start(process.execPath, args, {
      cwd: shop.folder,
      env: { TMPDIR: shop.tmp, XDG_RUNTIME_DIR: undefined },
    })
    await following.line('tick')
    writeFileSync(join(shop.folder, 'ticker.log'), 'more\n', { flag: 'a' })
    await following.line('more')
    following.signal('SIGINT')
    expect(await following.ended()).toEqual({ code: 0, signal: null })
  })

  it('reloads the workers, changes their number, and shows listeners, configuration and versions', async () => {
    expect(await ctl(shop, 'scale', '+1')).toMatchObject({ code: 0, stdout: '2 workers\n' })
    expect(await ctl(shop, 'wait', 'workers')).toMatchObject({ code: 0 })
    expect(await ctl(shop, 'scale', '1')).toMatchObject({ code: 0, stdout: '1 worker\n' })
    expect(await ctl(shop, 'listeners')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^127\.0\.0\.1:\d+\n/),
    })
    expect(JSON.parse((await ctl(shop, 'config')).stdout)).toMatchObject({ bind: expect.anything() })
    expect((await ctl(shop, 'version')).stdout).toMatch(/^PROCESS.*\narbiter .*\nmanager /)
    expect(await ctl(shop, 'reload')).toMatchObject({ code: 0, stdout: 'generation 2 serves\n' })
    // The manager drains and comes back with the new configuration.
    await until(async () => (await ctl(shop, 'wait', 'all', 'RUNNING')).code === 0)
    expect(await ctl(shop, 'reread')).toMatchObject({ code: 0, stdout: 'unchanged: ticker, sleeper:0, sleeper:1\n' })
  })

  it.each([
    [['stop'], 2, 'stop needs a name, or all'],
    [['status', 'nobody'], 1, 'no companion is named "nobody": there are ticker, sleeper:0, sleeper:1'],
    [['stop', 'nobody'], 1, 'no companion is named "nobody"'],
    [['dance'], 2, 'unknown command dance'],
    [['scale', 'many'], 2, 'scale needs a number of workers'],
    [['scale', '0'], 1, '"to" is 0; allowed: a number of workers from 1 to 512'],
    [['scale', '600'], 1, '"to" is 600; allowed: a number of workers from 1 to 512'],
    [['kill', '99'], 1, 'no worker runs in slot 99'],
    [['kill', 'x'], 2, 'kill needs the slot of a worker'],
    [['signal', 'NONE', 'ticker'], 1, '"signal" must be the name of a signal'],
    [['signal', 'HUP'], 2, 'signal needs a signal and a name'],
    [['wait', 'ticker', 'UP'], 2, 'unknown state UP: it is one of STOPPED'],
    [['wait', 'ticker', 'FATAL', '--timeout', '0.05'], 1, 'ticker is RUNNING: not FATAL after 0.05 s'],
    [['wait', 'ticker', '--timeout', 'long'], 2, '--timeout needs a number of seconds, not long'],
    [['tail', 'sleeper:0'], 1, 'set "stdout" to a path'],
    [['tail'], 2, 'tail needs one name'],
    [['why', 'nobody'], 1, 'no companion is named "nobody"'],
    [['reload', 'now'], 2, 'reload takes no arguments, not now'],
    [['-s', '/no/such', 'status'], 4, 'there is no control socket at /no/such: is monoceros running?'],
    [['-n', 'other', 'status'], 4, 'no monoceros named "other" answers in'],
    [['-s'], 2, '-s needs the path'],
    [['completion', 'fish'], 2, 'completion needs a shell: bash or zsh'],
  ])('ends %j with %i and one line that says what to do', async (args, code, line) => {
    const found = await ctl(shop, ...args)
    expect(found.stderr).toContain(line)
    expect(found).toMatchObject({ code, stdout: '' })
    expect(found.stderr).not.toContain('    at ')
  })

  it('reads commands from a pipe, one a line, and ends with the last one’s code', async () => {
    const script = `printf 'status ticker\\n# a comment\\n\\nstop nobody\\n' | ${process.execPath} ${CTL}`
    const found = await run('sh', ['-c', script], {
      cwd: shop.folder,
      env: { TMPDIR: shop.tmp, XDG_RUNTIME_DIR: undefined },
    })
    expect(found).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^COMPANION.*\nticker/),
      stderr: expect.stringContaining('nobody'),
    })
  })

  it('is interactive on a terminal, with completion and a history that is its user’s alone', async () => {
    const home = temporaryFolder()
    const terminal = start('script', ['-qefc', `${process.execPath} ${CTL}`, '/dev/null'], {
      cwd: shop.folder,
      env: { TMPDIR: shop.tmp, XDG_RUNTIME_DIR: undefined, HOME: home, XDG_STATE_HOME: undefined, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const type = (text: string): boolean => terminal.child.stdin!.write(text)
    await until(() => terminal.output.includes('monoceros> '))
    type('status tic\t')
    await until(() => terminal.output.includes('ticker'))
    type('\r')
    await until(() => terminal.output.includes('\x1b[32mRUNNING'))
    type('dance\r')
    await until(() => terminal.output.includes('unknown command dance'))
    type('exit\r')
    expect(await terminal.ended()).toMatchObject({ code: 2 })
    const history = join(home, '.local/state/monoceros/ctl_history')
    expect(statSync(history).mode & 0o777).toBe(0o600)
    expect(readFileSync(history, 'utf8')).toBe('exit\ndance\nstatus ticker\n')
  })

  it('completes in bash, names with colons too', async () => {
    const bin = temporaryFolder({ monocerosctl: `#!/bin/sh\nexec ${process.execPath} ${CTL} "$@"\n` })
    const script = `chmod +x ${bin}/monocerosctl; PATH=${bin}:$PATH; source <(monocerosctl completion bash)
      try() { COMP_WORDS=(monocerosctl "$@"); COMP_CWORD=$#; _monocerosctl; echo "\${COMPREPLY[*]}"; }
      try sta; try stop sleeper:; try signal US; complete -p monocerosctl`
    const found = await run('bash', ['-c', script], {
      cwd: shop.folder,
      env: { TMPDIR: shop.tmp, XDG_RUNTIME_DIR: undefined },
    })
    expect(found.stdout.split('\n')).toEqual([
      'status start',
      'sleeper:0 sleeper:1',
      'USR1 USR2',
      'complete -F _monocerosctl monocerosctl',
      '',
    ])
  })
})

describe('several instances', () => {
  it('are told apart by name, or by the folder one is in', async () => {
    const tmp = temporaryFolder()
    const one = await monoceros([], false, { procName: 'one' }, tmp)
    const two = await monoceros([], false, { procName: 'two' }, tmp)
    expect(JSON.parse((await ctl(one, '--json', 'status')).stdout)).toMatchObject({ name: 'one' })
    expect(JSON.parse((await ctl({ tmp, folder: '/' }, '--json', '-n', 'two', 'status')).stdout)).toMatchObject({
      name: 'two',
    })
    const unclear = await ctl({ tmp, folder: '/' }, 'status')
    expect(unclear).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/^monocerosctl: 2 are running: .*; name one with -n NAME\n$/),
    })
    expect(await ctl(two, 'shutdown')).toMatchObject({ code: 0 })
    expect(await two.server.ended()).toMatchObject({ code: 0 })
    expect(existsSync(join(tmp, `monoceros-${process.getuid!()}`, 'two.sock'))).toBe(false)
    expect(JSON.parse((await ctl({ tmp, folder: '/' }, '--json', 'status')).stdout)).toMatchObject({ name: 'one' })
  })
})
