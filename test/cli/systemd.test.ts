import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quoted } from '../../lib/cli/systemd-unit.ts'
import { temporaryFolder } from '../support/folder.ts'
import { run, startMonoceros } from '../support/process.ts'

const APP = { 'server.js': "require('node:http').createServer().listen(3000)\n" }

/** What the command prints, in a folder with an app. */
async function systemd(args: readonly string[], files: Readonly<Record<string, string>> = APP) {
  const folder = temporaryFolder(files)
  const program = startMonoceros(['systemd', ...args], { cwd: folder })
  const { code } = await program.ended()
  return { folder, code, stdout: program.stdout, stderr: program.stderr }
}

async function verify(folder: string, ...units: string[]) {
  return run('systemd-analyze', ['verify', ...units.map((unit) => join(folder, unit))])
}

test('The unit files of a service with sockets are accepted by systemd, and leave little exposed.', async () => {
  const args = [
    '--unit',
    'shop',
    '--directory',
    '.',
    '-w',
    '2',
    '--bind',
    ':8000',
    '--bind',
    'unix:/run/s',
    'server.js',
  ]
  const { folder, code, stdout } = await systemd(args)
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${folder}/shop.service\n${folder}/shop.socket\n` })
  expect(await verify(folder, 'shop.service', 'shop.socket')).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
  const security = ['security', '--offline=true', '--threshold=25', join(folder, 'shop.service')]
  expect((await run('systemd-analyze', security)).code).toBe(0)
  const service = readFileSync(join(folder, 'shop.service'), 'utf8')
  expect(service).toMatch(/^ExecStart=\S+ \S+monoceros\.js -w 2 --bind :8000 --bind unix:\/run\/s server\.js$/m)
  expect(service).toContain(`WorkingDirectory=${folder}\n`)
  expect(readFileSync(join(folder, 'shop.socket'), 'utf8')).toContain(
    'ListenStream=0.0.0.0:8000\nListenStream=/run/s\n',
  )
})

test('Without bind there is no socket unit, and the service may take a low port itself.', async () => {
  const { folder, code, stdout } = await systemd(['--directory', '.', '--unit=app', 'server.js'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${folder}/app.service\n` })
  expect(await verify(folder, 'app.service')).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
  expect(readFileSync(join(folder, 'app.service'), 'utf8')).toContain('AmbientCapabilities=CAP_NET_BIND_SERVICE')
})

test("systemd's deadlines lie beyond our own.", async () => {
  const config = {
    app: 'server.js',
    gracefulTimeout: '2m',
    stopDelay: '5s',
    bootTimeout: '90s',
    companions: [{ name: 'queue', command: ['sleep', '1'], stopTimeout: '10m' }],
  }
  const { stdout } = await systemd([], { ...APP, 'monoceros.config.json': JSON.stringify(config) })
  expect(stdout).toContain('TimeoutStopSec=616\n')
  expect(stdout).toContain('TimeoutStartSec=105\n')
})

test('Printed, each file has its name before it; the name comes from the folder or from procName.', async () => {
  const { stdout } = await systemd(['-n', 'My shop', '--bind', ':80', 'server.js'])
  expect(stdout).toMatch(/^# My-shop\.service\n\[Unit\]\n/)
  expect(stdout).toContain('\n\n# My-shop.socket\n[Unit]\n')
})

test('Arguments with what is special to systemd arrive as they are.', async () => {
  expect(quoted('a b')).toBe('"a b"')
  expect(quoted('50%$HOME"\\')).toBe('"50%%$$HOME\\"\\\\"')
  expect(quoted('-w')).toBe('-w')
  expect(quoted('')).toBe('""')
  const args = ['--unit', 'odd', '--directory', '.', 'server.js', '--', "it's", '$HOME', 'a "b" %h']
  const { folder: at } = await systemd(args)
  expect(await verify(at, 'odd.service')).toMatchObject({ code: 0, stderr: '' })
})

test.each([
  [['--unit', '../etc', 'server.js'], '--unit: "../etc" is no name; letters, digits and "_.-" are allowed'],
  [['server.js', '--unit'], '--unit: needs a value'],
  [['--directory', '/nowhere', 'server.js'], '--directory: cannot write /nowhere/'],
  [['--workerz', '2', 'server.js'], '--workerz'],
  [[], 'APP: is missing'],
])('%j is one line and exit code 2.', async (args, message) => {
  const { code, stderr, stdout } = await systemd(args)
  expect(stderr).toContain(message)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})
