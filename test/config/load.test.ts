/** Loading without evaluating a module: nothing here forks. */
import { diffConfig } from '../../lib/config/diff.ts'
import { type LoadedConfig, loadConfig } from '../../lib/config/load.ts'
import { describeProblem } from '../../lib/config/problems.ts'
import { temporaryFolder } from '../support/folder.ts'

type Given = { argv?: string[]; env?: Record<string, string>; file?: object | string; cwd?: string }

async function attempt({ argv = [], env = {}, file, cwd = temporaryFolder() }: Given) {
  const text = typeof file === 'string' ? file : JSON.stringify(file)
  const folder = file === undefined ? cwd : temporaryFolder({ 'monoceros.config.json': text!, 'sub/file': '' })
  return { folder, found: await loadConfig(argv, env, folder) }
}

async function load(given: Given): Promise<LoadedConfig> {
  const { found } = await attempt(given)
  if ('problems' in found) throw new Error(found.problems.map(describeProblem).join('\n'))
  return found.loaded
}

async function complaints(given: Given): Promise<string[]> {
  const { found } = await attempt(given)
  return 'problems' in found ? found.problems.map(describeProblem) : []
}

test('flags win over MONOCEROS_CMD_ARGS, that over the file, the file over variables, they over defaults', async () => {
  const places = {
    argv: ['-w', '5'],
    env: { MONOCEROS_CMD_ARGS: '-w 4', WEB_CONCURRENCY: '3' },
    file: { workers: 2 },
  }
  expect((await load(places)).config.workers).toBe(5)
  expect((await load({ ...places, argv: [] })).config.workers).toBe(4)
  expect((await load({ env: { WEB_CONCURRENCY: '3' }, file: places.file })).config.workers).toBe(2)
  expect((await load({ env: { WEB_CONCURRENCY: '3' } })).config.workers).toBe(3)
  expect((await load({ env: { WEB_CONCURRENCY: '' } })).config.workers).toBe(1)
  expect((await load({ env: { WEB_CONCURRENCY: 'auto' } })).config.workers).toBe('auto')
})

test('every value knows where it came from', async () => {
  const { sources } = await load({
    argv: ['--backlog=5', 'app.js'],
    env: { MONOCEROS_CMD_ARGS: '-t 4', WEB_CONCURRENCY: '3' },
    file: { pidfile: 'x' },
  })
  expect([sources.backlog, sources.app, sources.timeout, sources.workers, sources.pidfile, sources.bind]).toEqual([
    { kind: 'flag', flag: '--backlog' },
    { kind: 'flag', flag: 'APP' },
    { kind: 'env', variable: 'MONOCEROS_CMD_ARGS', flag: '-t' },
    { kind: 'env', variable: 'WEB_CONCURRENCY' },
    { kind: 'file', file: 'monoceros.config.json' },
    { kind: 'default' },
  ])
})

test('all problems of all places come at once, with place, key, value and what is allowed', async () => {
  const found = await complaints({
    argv: ['-w', '0', '--backlg', '5'],
    env: { MONOCEROS_CMD_ARGS: '--timeout never', WEB_CONCURRENCY: 'many', PORT: 'http' },
    file: { workers: 'all', daemon: true, gracefulTimout: 3, bind: ['localhost'], umask: 888, env: { A: 1 } },
  })
  expect([...found].sort()).toEqual([
    '--backlg: no such flag; did you mean "--backlog"?',
    '-w (workers): got 0; allowed: a whole number from 1 to 512, or "auto"',
    'MONOCEROS_CMD_ARGS --timeout (timeout): got "never"; allowed: a duration from 0 up to 24h: seconds, or a text such as "250ms", "30s", "5m"',
    'PORT: got "http"; allowed: a whole number from 0 to 65535',
    'WEB_CONCURRENCY: got "many"; allowed: a whole number from 1 to 512, or "auto"',
    'monoceros.config.json: bind[0]: got "localhost"; allowed: "host:port", "[v6]:port", ":port", a port, "unix:PATH" or "fd://N"',
    'monoceros.config.json: daemon: is not offered: let systemd, a container or a shell keep it in the background',
    'monoceros.config.json: env.A: got a value that is not shown; allowed: a text without NUL',
    'monoceros.config.json: gracefulTimout: no such setting; did you mean "gracefulTimeout"?',
    'monoceros.config.json: umask: got 888; allowed: permission bits up to 777: a number such as 0o022, or octal digits such as "022"',
    'monoceros.config.json: workers: got "all"; allowed: a whole number from 1 to 512, or "auto"',
  ])
})

test('names that every object has are unknown settings like others', async () => {
  expect(await complaints({ file: '{"constructor": 1, "__proto__": {"workers": 2}, "toString": 1}' })).toEqual([
    'monoceros.config.json: constructor: no such setting',
    'monoceros.config.json: __proto__: no such setting',
    'monoceros.config.json: toString: no such setting',
  ])
})

test.each([
  ['[]', 'exports []; allowed: an object of settings'],
  ['{"a":', /is not JSON: /],
  ['"text"', 'exports "text"; allowed: an object of settings'],
])('a file that says %s is refused', async (file, complaint) => {
  const found = await complaints({ file })
  expect(found).toHaveLength(1)
  if (typeof complaint === 'string') expect(found[0]).toBe(`monoceros.config.json: ${complaint}`)
  else expect(found[0]).toMatch(complaint)
})

test('a file that is named must be there, and does not hide what else is wrong', async () => {
  expect(await complaints({ argv: ['-c', 'none.json', '-w', 'x'] })).toEqual([
    'none.json: no such file',
    '-w (workers): got "x"; allowed: a whole number from 1 to 512, or "auto"',
  ])
  expect(await complaints({ argv: ['-c', '.'] })).toEqual([expect.stringMatching(/is a folder$/)])
})

test('MONOCEROS_CMD_ARGS may name the file, and a flag may name another', async () => {
  const cwd = temporaryFolder({ 'a.json': '{"workers": 2}', 'b.json': '{"workers": 3}' })
  const env = { MONOCEROS_CMD_ARGS: '-c a.json' }
  expect((await load({ env, cwd })).config.workers).toBe(2)
  expect((await load({ env, cwd, argv: ['-c', 'b.json'] })).config.workers).toBe(3)
  expect(await complaints({ env: { MONOCEROS_CMD_ARGS: `-n 'x` } })).toEqual([
    'MONOCEROS_CMD_ARGS: has a quote that is not closed',
  ])
})

test('of several files in the folder none is chosen by chance', async () => {
  const cwd = temporaryFolder({ 'monoceros.config.json': '{}', 'monoceros.config.mjs': '' })
  expect(await complaints({ cwd })).toEqual([
    'monoceros.config.mjs: stands beside monoceros.config.json; keep one, or name one with --config',
  ])
})

test('relative paths start at chdir, wherever that was said', async () => {
  const { folder, found } = await attempt({
    file: { chdir: 'sub', pidfile: 'pid', errorlog: '-', bind: 'unix:a' },
    argv: ['--access-logfile', 'x'],
  })
  if ('problems' in found) throw new Error()
  const { config, cwd, file } = found.loaded
  expect([cwd, config.chdir, config.pidfile, config.accesslog, config.errorlog, config.bind, file]).toEqual([
    `${folder}/sub`,
    `${folder}/sub`,
    `${folder}/sub/pid`,
    `${folder}/sub/x`,
    '-',
    [{ kind: 'unix', path: `${folder}/sub/a` }],
    `${folder}/monoceros.config.json`,
  ])
})

test('the folder of chdir must be there', async () => {
  expect(await complaints({ file: { chdir: 'none' } })).toEqual([
    expect.stringMatching(/^monoceros.config.json: chdir: got ".*\/none"; allowed: a folder that exists$/),
  ])
  expect(await complaints({ argv: ['--chdir', 'sub/file'], file: {} })).toHaveLength(1)
})

test('null takes a value away, undefined says nothing', async () => {
  expect((await load({ file: { pidfile: 'a' }, argv: ['-p', ''] })).config.pidfile).toBeNull()
  expect((await load({ file: { pidfile: null } })).config.pidfile).toBeNull()
  expect(await complaints({ file: { workers: null } })).toEqual([expect.stringMatching(/workers: got null/)])
})

test('settings that contradict each other are refused, each with its place', async () => {
  expect(await complaints({ file: { certfile: 'c', certReqs: 'required', restartDelay: '1m' } })).toEqual([
    'monoceros.config.json: certReqs: is "required" and needs caCerts, which is not set',
    'monoceros.config.json: restartDelay: restartDelay is 1m; allowed: at most restartDelayMax, which is 30s',
  ])
})

test('what needs certfile is refused without it, unless it is what it would be anyway', async () => {
  const argv = ['--keyfile', 'k', '--ciphers', 'HIGH', '--tls-min-version', 'TLSv1.3']
  expect(await complaints({ argv, file: { certReqs: 'required', caCerts: 'ca' } })).toEqual([
    '--keyfile (keyfile): needs certfile, which is not set',
    'monoceros.config.json: caCerts: needs certfile, which is not set',
    'monoceros.config.json: certReqs: needs certfile, which is not set',
    '--ciphers (ciphers): needs certfile, which is not set',
    '--tls-min-version (tlsMinVersion): needs certfile, which is not set',
  ])
  expect(
    (await load({ file: { keyfile: null, ciphers: null, certReqs: 'none', tlsMinVersion: 'TLSv1.2' } })).config
      .certfile,
  ).toBeNull()
  expect((await load({ argv: [...argv, '--certfile', 'c'] })).config.ciphers).toBe('HIGH')
})

test('settings that are of no use, or dangerous, are warned about', async () => {
  const { warnings } = await load({ argv: ['--keep-alive', '5', '--drain-idle=1m'], file: { maxRequestsJitter: 5 } })
  expect(warnings).toEqual(
    expect.arrayContaining([
      'keepalive (--keep-alive) is 5s: load balancers that keep connections for 60s will answer 502 now and then',
      'maxRequestsJitter (monoceros.config.json) does nothing without maxRequests',
      'drainIdle (--drain-idle) is cut short by gracefulTimeout, which is 30s',
    ]),
  )
  expect((await load({})).warnings).toEqual([])
})

describe('what workers are sent', () => {
  test('is plain data, and says which values somebody has set', async () => {
    const { worker } = await load({
      file: { keepalive: 75 },
      argv: ['app.js:main', '--limit-request-fields', '50'],
      env: { FORWARDED_ALLOW_IPS: '10.0.0.0/8,::1' },
    })
    expect(JSON.parse(JSON.stringify(worker))).toEqual(worker)
    expect(worker).toMatchObject({
      keepalive: 75_000,
      limitRequestFields: 50,
      app: { file: 'app.js', export: 'main' },
      forwardedAllowIps: ['10.0.0.0/8', '::1'],
    })
    expect([...worker.explicit].sort()).toEqual(['app', 'forwardedAllowIps', 'keepalive', 'limitRequestFields'])
    expect(Object.keys(worker)).not.toContain('env')
  })

  test('has the address of exports: local, or everywhere where a platform gives PORT', async () => {
    const address = async (given: Given) => (await load(given)).worker.exportAddress
    expect(await address({})).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 8000 })
    expect(await address({ env: { PORT: '5000' } })).toEqual({ kind: 'tcp', host: '0.0.0.0', port: 5000 })
    expect(await address({ env: { PORT: '5000' }, argv: ['-e', 'PORT=6000'] })).toEqual({
      kind: 'tcp',
      host: '0.0.0.0',
      port: 6000,
    })
    expect(await complaints({ env: { PORT: '70000' } })).toEqual([
      'PORT: got "70000"; allowed: a whole number from 0 to 65535',
    ])
  })
})

test('a difference is grouped by how it takes effect, and equal lists are equal', async () => {
  const argv = ['-w', '2', '-b', ':80', '-e', 'A=1']
  const before = (await load({ argv })).config
  const after = (await load({ argv: ['-w', '3', '-b', ':80', '-e', 'A=2', '--backlog=9', '--keep-alive=5'] })).config
  expect(diffConfig(before, after)).toEqual({ live: ['workers'], workers: ['env', 'keepalive'], restart: ['backlog'] })
  expect(diffConfig(before, (await load({ argv })).config)).toEqual({ live: [], workers: [], restart: [] })
})
